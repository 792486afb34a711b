"""The MySQL driver: mysqlclient where it is installed, else PyMySQL under its name."""

from __future__ import annotations

import importlib.util


def use_mysql_driver() -> None:
    """Make ``MySQLdb`` importable where only PyMySQL is installed; do nothing otherwise.

    mysqlclient needs a C compiler and headers to install. PyMySQL is slower, which a sample site
    and tests can bear. Its version is raised because Django asks for mysqlclient's numbers.
    """
    if importlib.util.find_spec("MySQLdb") or not importlib.util.find_spec("pymysql"):
        return
    import pymysql

    pymysql.version_info = (2, 2, 7, "final", 0)
    pymysql.install_as_MySQLdb()
