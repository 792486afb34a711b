"""A small shop. This is where its tables will be once every pending migration has run."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Customer(models.Model):
    name = models.CharField(max_length=200)
    email = models.EmailField(unique=True)
    joined_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    sku = models.CharField(max_length=20, unique=True)
    title = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    stock = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.title


class Order(models.Model):
    OPEN, PAID, SHIPPED = "open", "paid", "shipped"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=10, default=OPEN)
    placed_at = models.DateTimeField()
    total = models.DecimalField(max_digits=10, decimal_places=2, default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["status", "placed_at"], name="shop_order_status")]

    def __str__(self) -> str:
        return f"order {self.pk}"


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="lines")
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=8, decimal_places=2)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "product"], name="shop_orderline_once")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product}"


class Coupon(models.Model):
    code = models.CharField(max_length=30, unique=True)
    percent = models.PositiveSmallIntegerField()
    ends_on = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.code
