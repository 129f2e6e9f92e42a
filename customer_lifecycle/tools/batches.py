"""Work in batches beside users who save, merge and delete: locks, savepoints, commits, wake-ups.

In: an environment, and functions that find and do a part of the work. Out: the work done part by
part, each in a transaction of its own; what fails is left alone, what somebody else was merely
faster at is put off. Called by everything that works through customers, enrolments or cards.

Whoever works alone holds a lock first and commits then, so that he sees what the lock's former
holder has written; and he commits what he has written before he lets go.
"""

from contextlib import contextmanager

from psycopg2 import errors

from odoo import fields
from odoo.tools import SQL

#: what happens when a user merges or deletes a record that is being written
CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected, errors.ForeignKeyViolation)
#: first keys of the advisory locks; the second is a company, program or comparison
LOCKS = {
    "run": 0x6C6966,
    "workflow": 0x6C6977,
    "referral": 0x6C6972,
    "loyalty": 0x6C696C,
    "comparison": 0x6C6962,
    "economics": 0x6C6965,
}


@contextmanager
def hold(env, lock, ids):
    """Hold some of a kind of work across commits; yields the ids that no other process holds.

    Session locks: they outlive the commits in between and end with the process.

    :param lock: key of ``LOCKS``
    :param ids: companies, or other things that are worked on by one process at a time
    """
    cr, commit = env.cr, env["ir.cron"]._commit_progress
    cr.execute(
        SQL(
            "SELECT id FROM unnest(%s::integer[]) id WHERE pg_try_advisory_lock(%s, id)",
            list(ids),
            LOCKS[lock],
        )
    )
    held = [row[0] for row in cr.fetchall()]
    try:
        commit()
        yield held
        commit()
    except Exception:
        # nothing can be unlocked in an aborted transaction, and pooled connections live on
        cr.rollback()
        raise
    finally:
        cr.execute(
            SQL(
                "SELECT pg_advisory_unlock(%s, id) FROM unnest(%s::integer[]) id",
                LOCKS[lock],
                held,
            )
        )


def hold_until_commit(env, lock, id_):
    """Hold one thing until this transaction ends; False if another process does."""
    env.cr.execute(SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCKS[lock], id_))
    return env.cr.fetchone()[0]


def in_batches(env, find, work):
    """Do a part at a time, each in a transaction of its own.

    :param find: function of the last id done, 0 at first → ids of the next part in their order,
        none at the end
    :param work: function of such ids
    :return: False where the scheduled action's time was up before the end
    """
    after = 0
    while ids := find(after):
        after = ids[-1]
        work(ids)
        if not env["ir.cron"]._commit_progress(len(ids)):
            return False
    return True


def attempt(env, work, *args, catch=Exception):
    """Do something within a savepoint; returns the error for which it was undone, or None.

    :raises CONFLICTS: they are no fault of the work, which is to be done again
    """
    try:
        with env.cr.savepoint():  # which flushes at its end
            work(*args)
    except CONFLICTS:
        raise
    except catch as error:
        return error
    return None


def together(env, some, work, failed, put_off=None, catch=Exception):
    """Do something for all at once within a savepoint; if that fails, for each on its own.

    :param some: records, or a list
    :param work: function of any of them
    :param failed: function of a single one and the error for which nothing is done for it
    :param put_off: function of a conflict with another transaction, which is raised without it
    :param catch: errors after which each is tried on its own
    """
    try:
        error = attempt(env, work, some, catch=catch) if some else None
    except CONFLICTS as conflict:
        if not put_off:
            raise
        put_off(conflict)
        return
    if error is None:
        return
    if len(some) == 1:
        failed(some, error)
        return
    for number in range(len(some)):
        together(env, some[number : number + 1], work, failed, put_off, catch)


def wake(env, xml_id, minutes=0):
    """Have a scheduled action run soon, or in some minutes.

    Where somebody has deleted it, managers are told so, but what was done stays done.
    """
    cron = env.ref(xml_id, raise_if_not_found=False)
    if cron:
        cron.sudo()._trigger(fields.Datetime.add(fields.Datetime.now(), minutes=minutes))
