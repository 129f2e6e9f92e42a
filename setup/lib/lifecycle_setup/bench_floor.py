"""What ``setup/bench runs`` compares with: the least that any such computation has to do.

One ``GROUP BY`` of customer and local day over the confirmed orders, and one ``UPDATE`` of the
columns that a run writes, on a copy of the profile table with its indexes.
"""

from __future__ import annotations

import time

COPY = "bench_profile_copy"
# The offset makes PostgreSQL compute every row and send none.
GROUP_BY = """
    SELECT customer.commercial_partner_id,
           (ordering.date_order AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date,
           SUM(ordering.amount_untaxed / ordering.currency_rate)
      FROM sale_order ordering
      JOIN res_partner customer ON customer.id = ordering.partner_id
     WHERE ordering.state = 'sale' AND ordering.company_id = %(company)s
     GROUP BY 1, 2
    OFFSET 1000000000
"""
WRITTEN = (
    *("order_count", "first_order_date", "last_order_date", "recent_order_count", "revenue"),
    *("revenue_year", "average_order_value", "order_interval", "clv_historical", "p_alive"),
    *("p_order", "p_order_30", "expected_orders", "clv_predicted", "clv_total"),
    *("next_order_date", "next_order_from", "next_order_to"),
)


#: What the stage step writes; the date is what changes on every day.
STAGES = "stage_id = stage_id, stage_date = stage_date + 1, rhythm = rhythm"


class Timer:
    """Seconds that statements take on a connection of its own.

    :param cursor: psycopg2 cursor of a connection in autocommit mode
    """

    def __init__(self, cursor):
        self.cursor = cursor

    def settle(self) -> None:
        """Write out what earlier work left, so that it is not charged to the next."""
        self.cursor.execute("CHECKPOINT")

    def timed(self, statement: str, values=None) -> float:
        """Run a statement with the settings that the addon's runs use; return the seconds."""
        self.cursor.execute("BEGIN")
        self.cursor.execute("SET LOCAL work_mem = '256MB'")
        self.cursor.execute("SET LOCAL jit = off")
        started = time.monotonic()
        self.cursor.execute(statement, values)
        self.cursor.execute("COMMIT")
        return time.monotonic() - started

    def floor(self, company) -> dict:
        """Seconds of the two statements.

        :param company: res.company record
        """
        self.settle()
        group_by = self.timed(
            GROUP_BY, {"zone": company._lifecycle_timezone(), "company": company.id}
        )
        self._copy_profiles()
        assignments = ", ".join(f"{name} = {name} + 1" for name in WRITTEN)
        update = self.timed(f"UPDATE {COPY} SET {assignments}")
        self.cursor.execute(f"DROP TABLE {COPY}")
        return {"group_by": group_by, "update": update}

    def stage_floor(self) -> float:
        """Seconds of one UPDATE of the stage columns of all profiles."""
        self._copy_profiles()
        seconds = self.timed(f"UPDATE {COPY} SET {STAGES}")
        self.cursor.execute(f"DROP TABLE {COPY}")
        return seconds

    def _copy_profiles(self) -> None:
        """Make a copy of the profile table with its indexes."""
        self.cursor.execute(f"DROP TABLE IF EXISTS {COPY}")
        self.cursor.execute(f"CREATE TABLE {COPY} (LIKE lifecycle_profile INCLUDING ALL)")
        self.cursor.execute(f"INSERT INTO {COPY} SELECT * FROM lifecycle_profile")
        self.cursor.execute(f"VACUUM (ANALYZE) {COPY}")
        self.settle()
