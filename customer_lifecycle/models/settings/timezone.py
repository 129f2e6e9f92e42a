"""The one place that decides in which time zone days begin.

Comes in: a name as people, browsers and older databases have it. Goes out: a name that both the
database and Python know. Called by the companies' time zone and by the readers' journeys.
"""

import logging
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

import pytz

from odoo import api, models
from odoo.tools import ormcache

_logger = logging.getLogger(__name__)

#: zones are the same where the clocks show the same at these moments
MOMENTS = [
    datetime(year, month, day, 12, tzinfo=pytz.utc)
    for year in range(2015, 2028)
    for month in range(1, 13)
    for day in (1, 15)
]


class LifecycleTimezone(models.AbstractModel):
    """Names of time zones that the database may not know.

    Odoo offers every name that Python knows. PostgreSQL knows what its server has: older names
    like US/Eastern come with a package of their own, and others are written in another case. A
    name that it does not know would fail a whole run or leave a screen empty.
    """

    _name = "lifecycle.timezone"
    _description = "Time Zone"

    @api.model
    @ormcache("name")
    def _known(self, name):
        """The time zone by its own or another name that the database knows; else UTC."""
        known = self._database_names()
        for other in self._names_of(name):
            if other in known and other in pytz.all_timezones_set:
                return other
        if name:
            _logger.warning("Time zone %r is not known; days begin in UTC", name)
        return "UTC"

    @api.model
    def _is_unknown(self, name):
        """Whether UTC stands in for a zone that nobody knows."""
        if not name or self._known(name) != "UTC":
            return False
        return self._clock(name) != self._clock("UTC")

    @api.model
    @ormcache()
    def _database_names(self):
        """Names that PostgreSQL knows; UTC it knows without any data."""
        self.env.cr.execute("SELECT name FROM pg_timezone_names")
        return frozenset(row[0] for row in self.env.cr.fetchall()) | {"UTC"}

    @api.model
    def _names_of(self, name):
        """The name itself, then other names of the same zone, the likeliest first."""
        if not name:
            return
        yield name
        by_lower = {other.lower(): other for other in pytz.all_timezones}
        spelled = by_lower.get(name.strip().lower().replace(" ", "_"), name)
        yield spelled
        clock = self._clock(spelled)
        if clock is None:
            return
        with suppress(pytz.UnknownTimeZoneError):
            # Odoo knows what many former names are called now
            yield pytz.timezone(spelled).zone
        others = [*pytz.common_timezones, *pytz.all_timezones]
        data = self._data(spelled)
        if data:
            yield from (other for other in others if self._data(other) == data)
        yield from (other for other in others if self._clock(other) == clock)

    @api.model
    def _data(self, name):
        """What a zone's file holds: former names are copies of the present one."""
        try:
            with pytz.open_resource(name) as file:
                return file.read()
        except (OSError, ValueError):
            return None

    @api.model
    def _clock(self, name):
        """What a zone's clocks show over some years, None for a name that nobody knows."""
        for make in (pytz.timezone, ZoneInfo):
            try:
                zone = make(name)
            except (KeyError, ValueError, OSError):
                continue
            return [moment.astimezone(zone).utcoffset() for moment in MOMENTS]
        return None
