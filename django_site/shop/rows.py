"""The shop's rows for the demo: some customers, products and a few hundred orders."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

FIRST = ["Ana", "Bo", "Chidi", "Dana", "Emil", "Fatima", "Goran", "Hana", "Ines", "Jun"]
LAST = ["Silva", "Larsen", "Okafor", "Weiss", "Kaya", "Novak"]
PRODUCTS = [
    ("TEA-01", "Green tea, 100 g", "6.50"),
    ("TEA-02", "Black tea, 100 g", "5.90"),
    ("TEA-03", "Mint tea, 50 g", "4.20"),
    ("COF-01", "Espresso beans, 500 g", "11.80"),
    ("COF-02", "Filter coffee, 500 g", "9.90"),
    ("POT-01", "Tea pot, cast iron", "48.00"),
    ("POT-02", "Tea pot, glass", "29.50"),
    ("CUP-01", "Cup, stoneware", "12.00"),
    ("CUP-02", "Cup, porcelain", "18.00"),
    ("SPN-01", "Measuring spoon", "3.40"),
]
ORDERS = 300


def create_rows(apps: Any, *, now: datetime, random: Random) -> None:
    """Create customers, products, orders and lines through the models that ``apps`` holds.

    ``apps`` is the registry of the migration state that the tables are in; the models of the code
    are ahead of the tables, which is what the demo is about.
    """
    customers = apps.get_model("shop", "Customer").objects.bulk_create(
        apps.get_model("shop", "Customer")(
            name=f"{first} {last}",
            email=f"{first}.{last}@Example.com",
            joined_at=now - timedelta(days=random.randrange(30, 900)),
        )
        for first in FIRST
        for last in LAST
    )
    Product = apps.get_model("shop", "Product")
    products = Product.objects.bulk_create(
        Product(sku=sku, name=name, price=Decimal(price), stock=random.randrange(0, 200))
        for sku, name, price in PRODUCTS
    )
    Order = apps.get_model("shop", "Order")
    orders = Order.objects.bulk_create(
        Order(
            customer=random.choice(customers),
            status=random.choice(["open", "paid", "shipped", "shipped"]),
            placed_at=now - timedelta(minutes=random.randrange(60, 500_000)),
            legacy_reference=f"OLD-{number:05}" if number % 3 == 0 else "",
        )
        for number in range(1, ORDERS + 1)
    )
    Line = apps.get_model("shop", "OrderLine")  # noqa: N806
    Line.objects.bulk_create(
        Line(
            order=order, product=product, quantity=random.randrange(1, 5), unit_price=product.price
        )
        for order in orders
        for product in random.sample(products, random.randrange(1, 4))
    )
