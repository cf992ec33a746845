"""Steps of the database's schema; `cloud.db.open_database` takes those that are missing."""
