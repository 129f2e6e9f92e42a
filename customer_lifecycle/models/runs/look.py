"""Looks at customers: what else than purchases tells of them, by all readers that there are.

In: the readers, and what they had seen in the last run. Out: columns of the profiles, and what has
been seen now. The step after the figures, at night and in a refresh.
"""

import logging

from psycopg2 import OperationalError

from ...tools.step import EVERYBODY, Step
from ..profile.chosen import BATCH, Chosen

_logger = logging.getLogger(__name__)


class Look(Step):
    """Has the readers look; their tables are there, and gone, with it."""

    def __init__(self, env, company, day, scope=EVERYBODY):
        super().__init__(env, company, day, scope)
        kinds = env["lifecycle.profile"]._readers()
        self.readers = [kind(env, company, day, scope) for kind in kinds]
        self.TABLES = [name for reader in self.readers for name in reader.TABLES]

    def find_changes(self, seen, complete):
        """Find of whom there is news.

        :param seen: function: name of a run's field → what it had seen then
        :param complete: everybody is looked at again
        :return: what has been seen now by name of the field, to be kept when all is written
        """
        return {
            reader.SEEN: reader.find_changes(seen(reader.SEEN), complete)
            for reader in self.readers
            if reader.SEEN
        }

    def update(self):
        """Write what the readers read of all that there is news of.

        :return: (number of changed profiles, warnings)
        """
        changed, warnings = 0, []
        for reader in self.readers:
            count, unread = self._ask(reader)
            changed += count
            warnings += unread
        return changed, warnings

    def _ask(self, reader):
        """What a reader returns of its update; of one that fails and may, a warning."""
        if not reader.OPTIONAL:
            return reader.update()
        try:
            with self.cr.savepoint():
                return reader.update()
        except OperationalError:
            # somebody else has changed the same: all of it is done again
            raise
        except Exception as error:
            _logger.exception("%s failed", type(reader).__name__)
            return 0, [
                self.env._(
                    "Not looked at this time: %(what)s (%(error)s). Everything else is up to date.",
                    what=reader.name(),
                    error=error,
                )
            ]

    def read_orders(self):
        """The same of what hangs on orders and people, for one batch.

        :return: whether there may be more
        """
        due = [condition for reader in self.readers if (condition := reader.is_due()) is not None]
        with Chosen(self.env, self.company, self.day, self.scope) as chosen:
            count = chosen.choose(due)
            if count:
                for reader in self.readers:
                    reader.read_orders()
        return not self.scope.is_few and count >= BATCH
