from . import digest, overview, overview_moves, overview_revenue, overview_work, profile
