"""Who there is: sectors, people and accounts that do not exist, the files they share, and what they write about."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.utils.text import slugify

from accounts.models import OAuthToken, Sector, TikTokAccount, User
from accounts.roles import Role
from publishing.models import Asset, AssetKind, AssetStatus, CreatorLimits, SubtitleTrack, TrackStatus
from publishing.states import PrivacyLevel

#: Of each: a name, what its posts are about, and its hashtags, the common ones first.
SECTORS: dict[str, tuple[str, str]] = {
    "Gastronomía": ("pan de campo|empanadas|parrilla|medialunas|dulce de leche|alfajores",
                    "recetas gastronomia comidaargentina foodtok masamadre parrilla empanadas asado panaderia pastas"),
    "Indumentaria": ("una ruana|jeans|camperas|tejidos|bufandas|talles reales",
                     "moda modaargentina outfit emprendedoras denim hechoamano lanapatagonica modalenta tejido talles"),
    "Turismo": ("Potrerillos|la ruta 40|El Chaltén|los pingüinos|una bodega chica|el viento patagónico",
                "viajes turismo argentina viajeros mendoza patagonia ruta40 trekking ushuaia enoturismo"),
    "Belleza": ("rutinas de noche|piel sensible|un corte nuevo|esmaltes|rulos|maquillaje de día",
                "belleza skincare makeup peinados rulos unias pielsana rutina cosmeticanatural peluqueria"),
    "Deportes": ("correr 10 km|natación|el club del barrio|la bici|elongar|pádel",
                 "deporte running entrenamiento padel futbol ciclismo natacion gimnasio maraton yoga"),
    "Tecnología": ("una notebook usada|cámaras|auriculares|contraseñas|la nube|impresoras 3D",
                   "tecnologia gadgets tips programacion android seguridad impresion3d audio fotografia gaming"),
    "Hogar": ("plantas de interior|estantes|una cocina chica|mesas de roble|cortinas|pintura",
              "hogar deco diy plantas muebles organizacion interiorismo madera cocina jardin"),
    "Educación": ("mitología|ecuaciones|apuntes|exámenes|inglés en la calle|historia argentina",
                  "educacion aprender estudiantes historia matematica ingles lectura ciencia docentes universidad"),
    "Salud": ("la espalda|dormir mejor|vacunas|el desayuno|la vista|caminar",
              "salud bienestar nutricion fisioterapia suenio habitos odontologia mentesana prevencion pilates"),
    "Mascotas": ("un gato viejo|paseos|baños|cachorros|un loro|adopciones",
                 "mascotas perros gatos adopta cachorros veterinaria gatitos paseos peluqueriacanina aves"),
    "Automotor": ("frenos|una moto chica|el aceite|cubiertas|un clásico|la VTV",
                  "autos motos mecanica tuning clasicos 4x4 taller seguridadvial camiones electricos"),
    "Inmobiliaria": ("un dúplex|alquileres|un PH reciclado|terrenos|oficinas|la escritura",
                     "inmobiliaria propiedades casas departamentos alquiler inversion arquitectura obras ph terrenos"),
}  # fmt: skip
OPENINGS = (
    "Tres errores con", "Lo que nadie te cuenta de", "Un día entero con", "Preguntas que nos hacen sobre",
    "Así empezamos con", "Guardá esto sobre", "Probamos", "Cuánto cuesta", "La verdad sobre", "Antes y después de",
)  # fmt: skip
CLOSINGS = ("Contanos.", "Guardalo.", "¿Te pasó?", "Hoy hasta las 20.", "Etiquetá a alguien.", "Quedan pocos.", "")
#: A word that hardly any text has: something to look for.
RARE, RARE_SHARE = "Edición aniversario", 0.0004
ZONES = ("America/Argentina/Buenos_Aires",) * 6 + ("America/Argentina/Cordoba", "America/Montevideo", "Europe/Madrid")
#: Accounts in the charge of one manager.
CHARGE = 50
FILES = 40
PASSWORD = "subiteya-seed"  # noqa: S105  # of people who do not exist, in a database that holds nothing
SCOPE = "user.info.basic,user.info.profile,user.info.stats,video.list,video.publish,video.upload"


@dataclass(slots=True)
class Place:
    """An account, as the history needs it. `typical`: how often its posts are seen; `paused_until`: its breaker's."""

    id: int
    username: str
    zone: str
    sector: int
    typical: float
    paused_until: int = 0
    posts: int = 0
    draws: int = 0


@dataclass(frozen=True)
class File:
    """A source, what was edited from it, and its subtitles: shared by many videos."""

    source: int
    track: int
    edited: int
    size: int
    sha256: str


@dataclass
class Cast:
    """`managers`: who is in charge of which accounts."""

    administrator: User
    managers: list[tuple[int, list[Place]]]
    places: list[Place]
    files: list[File]
    subjects: dict[int, tuple[str, ...]] = field(default_factory=dict)
    hashtags: dict[int, tuple[str, ...]] = field(default_factory=dict)


def cast_make(rng: random.Random, *, accounts: int, now: datetime) -> Cast:
    """Write the people, the accounts with their tokens, and the files. Inside a transaction."""
    sectors = [Sector.objects.get_or_create(name=name, defaults={"slug": slugify(name)})[0] for name in SECTORS]
    administrator, managers = _people(max(1, accounts // CHARGE))
    rows = _accounts(rng, accounts, sectors, now)
    places = [Place(row.pk, row.username, row.time_zone, row.sector_id, rng.lognormvariate(7.5, 1.1)) for row in rows]
    charge = [(manager.pk, places[number :: len(managers)]) for number, manager in enumerate(managers)]
    TikTokAccount.managers.through.objects.bulk_create(
        [
            TikTokAccount.managers.through(user_id=pk, tiktokaccount_id=place.id)
            for pk, mine in charge for place in mine
        ], batch_size=500,
    )  # fmt: skip
    cast = Cast(administrator, charge, places, _files(rng, now))
    for sector, (subjects, hashtags) in zip(sectors, SECTORS.values(), strict=True):
        cast.subjects[sector.pk] = tuple(subjects.split("|"))
        cast.hashtags[sector.pk] = tuple(hashtags.split())
    return cast


def _people(count: int) -> tuple[User, list[User]]:
    password = make_password(PASSWORD)
    administrator = User(username="seed-admin", role=Role.ADMINISTRATOR, is_staff=True, is_superuser=True)
    managers = [User(username=f"seed-cm{number:02}", first_name=f"CM {number}") for number in range(1, count + 1)]
    for person in (administrator, *managers):
        person.password, person.email = password, f"{person.username}@agencia.example"
    made = User.objects.bulk_create([administrator, *managers])
    return made[0], made[1:]


def _accounts(rng: random.Random, count: int, sectors: list[Sector], now: datetime) -> list[TikTokAccount]:
    # A manager has accounts of several sectors: 40 managers, 12 sectors.
    rows = TikTokAccount.objects.bulk_create(
        [
            TikTokAccount(
                open_id=f"seed-{rng.getrandbits(64):016x}-{number}", username=f"marca.{number:04}",
                display_name=f"Marca {number}", sector=sectors[number % len(sectors)], time_zone=rng.choice(ZONES),
                connected_at=now - timedelta(days=600), needs_approval=number % 40 == 0,
            )
            for number in range(count)
        ], batch_size=500,
    )  # fmt: skip
    OAuthToken.objects.bulk_create([_token(rng, row, now) for row in rows], batch_size=500)
    levels = [level for level in PrivacyLevel.values if level != PrivacyLevel.FOLLOWER_OF_CREATOR]
    seen_at = now - timedelta(hours=5)
    CreatorLimits.objects.bulk_create(
        [
            CreatorLimits(account=row, max_duration_seconds=600, privacy_levels=levels, seen_at=seen_at)
            for row in rows
        ], batch_size=500,
    )  # fmt: skip
    return rows


def _token(rng: random.Random, account: TikTokAccount, now: datetime) -> OAuthToken:
    return OAuthToken(
        account=account, access_token=f"act.{rng.getrandbits(160):040x}",
        refresh_token=f"rft.{rng.getrandbits(160):040x}", scope=SCOPE,
        expires_at=now + timedelta(hours=rng.uniform(3, 23)),
        refresh_expires_at=now + timedelta(days=rng.uniform(20, 360)), refreshed_at=now - timedelta(hours=1),
    )  # fmt: skip


def _files(rng: random.Random, now: datetime) -> list[File]:
    found = []
    for number in range(FILES):
        size = rng.randrange(8_000_000, 60_000_000)
        source, edited = (_asset(kind, number, size, now) for kind in (AssetKind.SOURCE, AssetKind.EDITED))
        track = SubtitleTrack.objects.create(
            asset=source, engine="seed", status=TrackStatus.READY,
            cues=[{"start_ms": 0, "end_ms": 2_000, "text": "Hola"}],
        )  # fmt: skip
        found.append(File(source.pk, track.pk, edited.pk, size, edited.sha256))
    return found


def _asset(kind: AssetKind, number: int, size: int, now: datetime) -> Asset:
    digest = hashlib.sha256(f"seed {kind} {number}".encode()).hexdigest()
    picture = {
        "codec": "h264", "width": 1080, "height": 1920, "display_width": 1080, "display_height": 1920, "fps": 30.0,
    }  # fmt: skip
    return Asset.objects.create(
        kind=kind, status=AssetStatus.READY, storage_key=f"{kind}/{digest[:2]}/{digest}.mp4",
        original_name=f"toma-{number:02}.mp4", sha256=digest, size=size,
        probe={"duration_ms": 15_000 + 500 * number, "format": "mp4", "video": picture},
    )  # fmt: skip


def epoch(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
