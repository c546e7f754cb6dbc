"""What can go wrong on demand: each kind of fault, where it may strike, what it takes, one sentence for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JSON_CALLS = ("creator_info", "init", "inbox_init", "status", "user_info", "video_list", "video_query")
CALLS = ("init", "inbox_init", "chunk", "status", "creator_info", "token", "revoke", *JSON_CALLS[4:])
POSTING = ("init", "inbox_init", "creator_info")
#: Not a call: the moment in which an uploaded video is posted or not.
POST = "post"
#: Not a call either: the fault strikes when it is set.
NOW = "now"
ANY = "*"


@dataclass(frozen=True)
class Kind:
    """A kind of fault; the first endpoint is the default, `params` hold each parameter's default."""

    name: str
    endpoints: tuple[str, ...]
    params: dict[str, Any]
    es: str
    en: str


_ALL = (
    Kind(
        "refuse",
        (*CALLS, ANY),
        {"http_status": 503, "code": "internal_error", "retry_after": 0},
        "Rechaza el pedido con el estado HTTP y el código de error que elijas, sin hacer nada más.",
        "Refuses the call with the HTTP status and the error code you choose, and does nothing else.",
    ),
    Kind(
        "drop_before",
        ("chunk", *(c for c in CALLS if c != "chunk"), ANY),
        {},
        "Corta la conexión antes de atender el pedido: no pasa nada y no hay respuesta.",
        "Cuts the connection before the call is handled: nothing happens and nobody answers.",
    ),
    Kind(
        "drop_midway",
        ("chunk",),
        {},
        "Recibe la mitad de la parte y corta: la parte entera se descarta.",
        "Takes half of the part and cuts the connection: the whole part is discarded.",
    ),
    Kind(
        "drop_after",
        ("chunk", *(c for c in CALLS if c != "chunk"), ANY),
        {},
        "Atiende el pedido de verdad y corta sin responder: quien llamó no sabe si se hizo.",
        "Really handles the call, then cuts without an answer: the caller cannot know that it was done.",
    ),
    Kind(
        "stall",
        (*CALLS, ANY),
        {"seconds": 30.0},
        "Se queda callado esos segundos antes de atender el pedido.",
        "Keeps silent for those seconds before it handles the call.",
    ),
    Kind(
        "stall_after",
        (*CALLS, ANY),
        {"seconds": 30.0},
        "Atiende el pedido y se queda callado esos segundos antes de responder.",
        "Handles the call, then keeps silent for those seconds before it answers.",
    ),
    Kind(
        "slow",
        ("chunk",),
        {"bytes_per_second": 500_000},
        "Recibe la parte a esa velocidad, como una conexión lenta.",
        "Takes the part at that speed, like a slow line.",
    ),
    Kind(
        "expire_url",
        ("chunk",),
        {},
        "La dirección de subida vence en ese momento: responde 403 y esa subida no puede terminar nunca.",
        "The upload URL expires at that moment: 403, and that upload can never end.",
    ),
    Kind(
        "wrong_range",
        ("chunk",),
        {},
        "Guarda la parte pero informa un avance equivocado en Content-Range.",
        "Stores the part but tells a wrong progress in Content-Range.",
    ),
    Kind(
        "expire_token",
        (NOW, *JSON_CALLS),
        {},
        "Los tokens de acceso de la cuenta vencen ya; los de renovación siguen sirviendo.",
        "The account's access tokens expire now; its refresh tokens go on working.",
    ),
    Kind(
        "revoke_account",
        (NOW, *JSON_CALLS),
        {"reason": 1},
        "La persona quita el permiso: mueren todos sus tokens y sale el aviso authorization.removed.",
        "The person removes the access: all tokens die and the authorization.removed webhook goes out.",
    ),
    Kind(
        "cap_reached",
        ("posting",),
        {},
        "La cuenta llegó al tope de publicaciones del día (spam_risk_too_many_posts).",
        "The account has reached its posting cap of the day (spam_risk_too_many_posts).",
    ),
    Kind(
        "banned",
        ("posting",),
        {},
        "TikTok le prohíbe publicar a la cuenta (spam_risk_user_banned_from_posting).",
        "TikTok has banned the account from posting (spam_risk_user_banned_from_posting).",
    ),
    Kind(
        "post_failed",
        (POST,),
        {"fail_reason": "spam_risk_text"},
        "El video ya subido termina en FAILED con ese motivo, como cuando la moderación lo rechaza.",
        "The uploaded video ends in FAILED for that reason, as when moderation turns it down.",
    ),
    Kind(
        "post_stuck",
        (POST,),
        {},
        "El video ya subido se queda en PROCESSING_UPLOAD para siempre.",
        "The uploaded video stays in PROCESSING_UPLOAD for ever.",
    ),
)
KINDS = {kind.name: kind for kind in _ALL}
#: Faults that are nothing but a refusal with one code.
REFUSALS = {"cap_reached": "spam_risk_too_many_posts", "banned": "spam_risk_user_banned_from_posting"}
