"""The shop's rows for the demo: some customers, products and a few hundred orders."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.db.models import Exists, OuterRef

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


def double_lines(apps: Any, *, number: int = 3) -> None:
    """Put some order lines in twice: what the rule of 0004_order_line_once forbids."""
    Line = apps.get_model("shop", "OrderLine")  # noqa: N806
    Line.objects.bulk_create(
        Line(
            order_id=line.order_id,
            product_id=line.product_id,
            quantity=line.quantity,
            unit_price=line.unit_price,
        )
        for line in Line.objects.order_by("pk")[:number]
    )


def mend_lines(apps: Any) -> int:
    """Take out every line that an earlier one has the order and the product of; how many."""
    Line = apps.get_model("shop", "OrderLine")  # noqa: N806
    earlier = Line.objects.filter(
        order=OuterRef("order"), product=OuterRef("product"), pk__lt=OuterRef("pk")
    )
    doubles = Line.objects.filter(Exists(earlier)).values_list("pk", flat=True)
    return int(Line.objects.filter(pk__in=list(doubles)).delete()[0])
