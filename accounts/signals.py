"""What other apps can react to.

`account_connected`, `account_disconnected`: sent after commit. Arguments: account, actor, event (an AccountEvent).
`role_changed`: sent after commit. Arguments: user, old, new (values of `Role`), actor (None: by command line).
`tiktok_called`: sent after each call to TikTok, outside of any transaction. Arguments: endpoint, account (or None),
seconds, error (a TikTokError, or None when the call went well).
"""

from django.dispatch import Signal

account_connected = Signal()
account_disconnected = Signal()
role_changed = Signal()
tiktok_called = Signal()
