"""A rehearsal: a plan run on a scratch database that is made for it and thrown away after it.

``rehearse`` is where it begins. What differs from one database to another stands behind
``vendor.Vendor``, one file a vendor.
"""
