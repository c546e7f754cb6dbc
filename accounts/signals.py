"""Sent after commit, so that other apps can react to an account's connection. Arguments: account, actor."""

from django.dispatch import Signal

account_connected = Signal()
account_disconnected = Signal()
