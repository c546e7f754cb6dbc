"""Who plays: three sectors, six brands that do not exist, three people, three looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ADMINISTRATOR = "admin"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody of the agency."""

    username: str
    first_name: str
    last_name: str
    is_admin: bool = False

    @property
    def password(self) -> str:
        """The demo's own, printed by `manage.py demo`, which runs only against the sandbox."""
        return f"subiteya-{self.username}"


@dataclass(frozen=True, kw_only=True)
class Brand:
    """A client's account. `subtitled`: share of its videos with subtitles; `luck`: share that comes out."""

    username: str
    name: str
    bio: str
    sector: str
    zone: str
    manager: str
    look: str
    subtitled: float
    luck: float


PEOPLE = (
    Person(username="ana", first_name="Ana", last_name="Ferreyra"),
    Person(username="bruno", first_name="Bruno", last_name="Quiroga"),
    Person(username=ADMINISTRATOR, first_name="Carla", last_name="Medina", is_admin=True),
)

GASTRONOMY, CLOTHING, TOURISM = "Gastronomía", "Indumentaria", "Turismo"

WARM, BLEED, FAIR = "Cálido", "A sangre", "Feria"
#: The fields of `BrandPattern` that differ from its defaults. The logo stays off: it is opt-in.
LOOKS: dict[str, dict[str, Any]] = {
    WARM: {"fit": "blur", "temperature": 0.45, "saturation": 1.2, "brightness": 0.03},
    BLEED: {"fit": "crop", "contrast": 1.12, "temperature": -0.15},
    FAIR: {
        "fit": "pad",
        "subtitle_size": 80,
        "subtitle_color": "#FFE14D",
        "subtitle_outline_color": "#3B0764",
        "subtitle_box": True,
        "subtitle_uppercase": True,
    },
}

BRANDS = (
    Brand(
        username="panaderia.luna", name="Panadería Luna", sector=GASTRONOMY, manager="ana", look=WARM,
        bio="Masa madre y facturas de barrio. Villa Crespo.", zone="America/Argentina/Buenos_Aires",
        subtitled=0.68, luck=0.93,
    ),
    Brand(
        username="fogon.donanselmo", name="El Fogón de Don Anselmo", sector=GASTRONOMY, manager="ana", look=FAIR,
        bio="Parrilla a leña, sin apuro. Córdoba capital.", zone="America/Argentina/Cordoba",
        subtitled=0.30, luck=0.88,
    ),
    Brand(
        username="telar.austral", name="Telar Austral", sector=CLOTHING, manager="bruno", look=BLEED,
        bio="Lana patagónica tejida en Ushuaia.", zone="America/Argentina/Ushuaia",
        subtitled=0.40, luck=0.92,
    ),
    Brand(
        username="pampa.denim", name="Pampa Denim", sector=CLOTHING, manager="bruno", look=WARM,
        bio="Jeans hechos en Avellaneda, del 34 al 60.", zone="America/Argentina/Buenos_Aires",
        subtitled=0.45, luck=0.86,
    ),
    Brand(
        username="huella.cuyana", name="Huella Cuyana", sector=TOURISM, manager="ana", look=BLEED,
        bio="Montaña, vino y ruta. Salidas desde Mendoza.", zone="America/Argentina/Mendoza",
        subtitled=0.62, luck=0.91,
    ),
    Brand(
        username="rumbosur.madrid", name="Rumbo Sur Madrid", sector=TOURISM, manager="bruno", look=FAIR,
        bio="Viajes a la Patagonia, con oficina en Lavapiés.", zone="Europe/Madrid",
        subtitled=0.52, luck=0.87,
    ),
)  # fmt: skip
BRAND_OF = {brand.username: brand for brand in BRANDS}
#: It had a bad afternoon: TikTok did not answer, and six videos failed one after the other.
UNLUCKY = "pampa.denim"
