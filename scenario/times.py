"""Times of events, and when an answer is due by a market's working days."""

import json
from datetime import datetime, time, timedelta, timezone

# Of markets that the file does not have.
WEEKEND = ('sat', 'sun')
NAMES = ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')


def when(text):
    """A time from its text."""
    return datetime.fromisoformat(text.replace('Z', '+00:00'))


def iso(moment):
    """A time as text, to the millisecond."""
    return moment.astimezone(timezone.utc).isoformat(timespec='milliseconds').replace('+00:00', 'Z')


class Calendars:
    """Weekends and holidays by market."""

    def __init__(self, rows):
        self.of = {row['market']: (set(row.get('weekend', WEEKEND)), set(row.get('holidays', ()))) for row in rows}

    @classmethod
    def read(cls, path):
        """From the file that ships with the program."""
        with open(path, encoding='utf-8') as lines:
            return cls([json.loads(line) for line in lines if line.strip()])

    def works(self, market, day):
        """Whether a market works on a day."""
        weekend, holidays = self.of.get(market, (set(WEEKEND), set()))
        return NAMES[day.weekday()] not in weekend and day.isoformat() not in holidays

    def due(self, market, at, days):
        """The end of the n-th working day after the day of a time, in UTC."""
        day = at.astimezone(timezone.utc).date()
        while days:
            day += timedelta(days=1)
            days -= self.works(market, day)
        return datetime.combine(day, time(23, 59, 59, 999_000), timezone.utc)
