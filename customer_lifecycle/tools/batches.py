"""What all work in batches shares: which failures are worth another try.

In: an exception of the database. Out: whether somebody else was merely faster. Asked by whatever
works through customers, enrolments or cards beside users who save, merge and delete.
"""

from psycopg2 import errors

#: what happens when a user merges or deletes a record that is being written
CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected, errors.ForeignKeyViolation)
