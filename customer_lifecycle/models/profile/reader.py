"""Readers: what tells of customers besides their purchases, such as signals, habits or touches.

In: whom a run or refresh looks at. Out: columns of their profiles. A room or an add-on registers
its reader by extending ``lifecycle.profile._readers``. Called by the flow once figures are written.
"""

from ...tools.step import Step


class Reader(Step):
    """Reads something of customers and writes it to their profiles, where it differs.

    Each is asked in this order: of whom there is news (at night only), to read what concerns them,
    and, in batches, what hangs on their orders and people.
    """

    #: the runs' field that keeps what was seen, of readers that look for changes
    SEEN = None
    #: nothing else hangs on it: should it fail, the run says so and goes on
    OPTIONAL = False

    def name(self):
        """What it reads, in the reader's words: for the warning that it has failed."""
        return type(self).__name__

    def find_changes(self, seen, complete):
        """Note of whom there is something new since a run last looked.

        :param seen: what this returned for the last run that came to its end, or nothing
        :param complete: everybody is to be looked at again
        :return: what has been seen now, JSON-able
        """

    def update(self):
        """Write what there is to say of the few in scope, or of those that were noted.

        :return: (number of changed profiles, warnings)
        """
        return 0, []

    def is_due(self):
        """Condition on ``lifecycle_profile profile``: whose orders this reader wants to look at.

        :return: SQL, or None where it asks for nobody
        """
        return None

    def read_orders(self):
        """Write what hangs on orders and people of the customers in :class:`~.chosen.Chosen`."""
