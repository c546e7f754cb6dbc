"""Reading brand patterns: whose they are, and who uses them."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Prefetch

from accounts.models import TikTokAccount, User
from accounts.selectors import accounts_for
from publishing.models import AccountBrand, BrandPattern


def pattern_of(account: TikTokAccount) -> BrandPattern | None:
    """The account's pattern, None when it has none; select `brand__pattern` for no query."""
    brand = getattr(account, "brand", None)
    return brand.pattern if brand else None


def patterns_for(user: User) -> list[BrandPattern]:
    """What the person sees, by name. Each has `shown`: the AccountBrand rows of accounts in their sight, and
    `is_used` and `is_editable`.
    """
    mine = AccountBrand.objects.filter(account__in=accounts_for(user).values("pk"))
    shown = mine.select_related("account").order_by("account__username")
    return list(
        BrandPattern.objects.for_user(user)
        .annotate(
            is_used=Exists(AccountBrand.objects.filter(pattern=OuterRef("pk"))),
            is_editable=Exists(BrandPattern.objects.editable_by(user).filter(pk=OuterRef("pk"))),
        )
        .prefetch_related(Prefetch("accounts", queryset=shown, to_attr="shown"))
    )
