"""The pages' two languages: the English sentence is the key, Spanish (rioplatense) the default on screen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request

LANGUAGES = ("es", "en")
COOKIE = "sandbox_lang"

SPANISH = {
    "SANDBOX: this is not TikTok": "SANDBOX: no es TikTok",
    "Sandbox control": "Control del sandbox",
    # The authorise page
    "{app} wants to connect to a TikTok account": "{app} quiere conectarse con una cuenta de TikTok",
    "Which account?": "¿Con qué cuenta?",
    "There are no accounts yet. Create the first one.": "Todavía no hay cuentas. Creá la primera.",
    "{app} will be able to:": "{app} va a poder:",
    "Always needed": "Siempre hace falta",
    "Authorize": "Autorizar",
    "Cancel": "Cancelar",
    "Create another sandbox account": "Crear otra cuenta de prueba",
    "Username": "Usuario",
    "Nickname": "Nombre visible",
    "Create": "Crear",
    "2 to 24 letters, digits, dots and underscores": "De 2 a 24 letras, números, puntos y guiones bajos",
    "See your name and your picture": "Ver tu nombre y tu foto",
    "See your username and your profile": "Ver tu usuario y tu perfil",
    "See how many followers and likes you have": "Ver cuántos seguidores y me gusta tenés",
    "Post videos on your profile": "Publicar videos en tu perfil",
    "Leave videos in your TikTok inbox": "Dejar videos en tu bandeja de TikTok",
    "See your public videos and their numbers": "Ver tus videos públicos y sus números",
    "We cannot go on": "No podemos seguir",
    "{app} sent something that TikTok does not accept:": "{app} mandó algo que TikTok no acepta:",
    "private": "privada",
    "banned": "suspendida",
    "Choose an account first.": "Elegí primero una cuenta.",
    # Posts and profiles
    "followers": "seguidores",
    "following": "siguiendo",
    "likes": "me gusta",
    "No videos yet.": "Todavía no hay videos.",
    "There is nothing here": "Acá no hay nada",
    "This post does not exist, or TikTok took it down.": "Esta publicación no existe, o TikTok la bajó.",
    "This account does not exist in the sandbox.": "Esta cuenta no existe en el sandbox.",
    "The sandbox does not keep the video of this post.": "El sandbox no guarda el video de esta publicación.",
    "Only the account itself sees this post.": "Esta publicación la ve solamente la propia cuenta.",
    "Only followers see this post.": "Esta publicación la ven solamente los seguidores.",
    "Only friends see this post.": "Esta publicación la ven solamente los amigos.",
    "In moderation: not public yet.": "En moderación: todavía no es pública.",
    "views": "vistas",
    "comments": "comentarios",
    "shares": "compartidos",
    "Published on {when}": "Publicado el {when}",
    "See the profile": "Ver el perfil",
    # The control page
    "A TikTok of our own, to try everything without touching the real one.": (
        "Un TikTok propio, para probar todo sin tocar el de verdad."
    ),
    "Posts": "Publicaciones",
    "Faults": "Fallas",
    "Accounts": "Cuentas",
    "Settings": "Ajustes",
    "Recent calls": "Últimos pedidos",
    "Webhooks": "Avisos (webhooks)",
    "Account": "Cuenta",
    "State": "Estado",
    "Parts": "Partes",
    "Size": "Tamaño",
    "Started": "Inicio",
    "Ended": "Fin",
    "Actions": "Acciones",
    "See it": "Ver",
    "inbox": "bandeja",
    "Nothing was published yet.": "Todavía no se publicó nada.",
    "The latest {n} are shown.": "Se muestran las últimas {n}.",
    "No calls yet.": "Todavía no hubo pedidos.",
    "No webhooks yet.": "Todavía no salió ningún aviso.",
    "When": "Cuándo",
    "Call": "Pedido",
    "Answer": "Respuesta",
    "Fault": "Falla",
    "no answer": "sin respuesta",
    "Event": "Evento",
    "Attempts": "Intentos",
    "delivered": "entregado",
    "waiting": "esperando",
    "given up": "abandonado",
    "Take down": "Bajar",
    "Fail": "Rechazar",
    "Finish in the app": "Terminar en la app",
    "Active faults": "Fallas activas",
    "No fault waits. Everything goes well.": "No hay ninguna falla esperando. Todo anda bien.",
    "Remove": "Quitar",
    "Remove all": "Quitar todas",
    "left: {n}": "quedan {n}",
    "until removed": "hasta que la quites",
    "lets {n} through first": "deja pasar {n} antes",
    "part {n}": "parte {n}",
    "any account": "cualquier cuenta",
    "Set a fault": "Activar una falla",
    "Where": "Dónde",
    "Part (0 is the first)": "Parte (0 es la primera)",
    "any": "cualquiera",
    "How many times": "Cuántas veces",
    "empty: until removed": "vacío: hasta que la quites",
    "Let through first": "Dejar pasar antes",
    "Set": "Activar",
    "now": "ya mismo",
    "posting": "al publicar",
    "post": "al procesar el video",
    "any call": "cualquier pedido",
    "Save": "Guardar",
    "Saved.": "Guardado.",
    "The fault is set.": "La falla quedó activa.",
    "Done.": "Listo.",
    "That did not fit: {error}": "Eso no va: {error}",
    "Start over": "Empezar de nuevo",
    "Empty the log": "Vaciar el registro",
    "Forget posts, calls, faults and changed settings; accounts stay connected.": (
        "Olvida publicaciones, pedidos, fallas y ajustes cambiados; las cuentas siguen conectadas."
    ),
    "Forget everything": "Olvidar todo",
    "Forget accounts and their permissions too.": "Olvida también las cuentas y sus permisos.",
    "Posts today": "Publicaciones de hoy",
    "{n} of {cap}": "{n} de {cap}",
    "Yes": "Sí",
    "No": "No",
    "audited app": "app auditada",
    "unaudited app": "app sin auditar",
    # Settings
    "audited": "La app pasó la auditoría de TikTok",
    "processing_seconds": "Segundos hasta PUBLISH_COMPLETE",
    "moderation_seconds": "Segundos de moderación hasta el id público",
    "progress": "Qué dice el avance (Content-Range, uploaded_bytes)",
    "chunk_rule": "Qué regla une chunk_size y total_chunk_count",
    "post_id_shape": "Cómo viene publicaly_available_post_id",
    "refresh": "Qué pasa con el refresh token al renovar",
    "pkce": "Qué escritura de PKCE se acepta",
    "oauth_error_status": "Estado HTTP de los errores de OAuth",
    "access_token_seconds": "Segundos de vida del token de acceso",
    "daily_post_cap": "Tope de publicaciones por día y cuenta",
    "webhook_url": "Adónde van los avisos",
}
#: The settings' names are keys too; this is what an English reader sees for them.
ENGLISH = {
    "audited": "The app has passed TikTok's audit",
    "processing_seconds": "Seconds until PUBLISH_COMPLETE",
    "moderation_seconds": "Seconds of moderation until the public id",
    "progress": "What progress means (Content-Range, uploaded_bytes)",
    "chunk_rule": "Which rule ties chunk_size and total_chunk_count",
    "post_id_shape": "How publicaly_available_post_id comes",
    "refresh": "What a refresh does to the refresh token",
    "pkce": "Which writing of PKCE is taken",
    "oauth_error_status": "HTTP status of OAuth errors",
    "access_token_seconds": "Seconds an access token lives",
    "daily_post_cap": "Posts per day and account",
    "webhook_url": "Where webhooks go",
    "now": "right now",
    "posting": "when posting",
    "post": "when the video is processed",
}


def language() -> str:
    """`?lang`, else the cookie it left, else what the browser prefers, else Spanish."""
    for wanted in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    return request.accept_languages.best_match(LANGUAGES, default="es") or "es"


def translate(text: str, **values: Any) -> str:
    """`text` in the reader's language, with `{names}` filled in."""
    table = SPANISH if language() == "es" else ENGLISH
    return table.get(text, text).format(**values)


def install(app: Flask) -> None:
    """Give the templates `t`, `lang` and the filters `when`, `size` and `number`."""
    app.context_processor(lambda: {"t": translate, "lang": language(), "log_id": g.get("log_id", "")})
    app.add_template_filter(_when, "when")
    app.add_template_filter(_size, "size")
    app.add_template_filter(_number, "number")
    app.after_request(_remember)


def _remember(answer: Response) -> Response:
    if request.args.get("lang") in LANGUAGES:
        answer.set_cookie(COOKIE, request.args["lang"], samesite="Lax", httponly=True)
    return answer


def _when(seconds: float | None) -> str:
    """Unix seconds as UTC day and time."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%d/%m/%Y %H:%M:%S")


def _size(count: int) -> str:
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            break
        value, unit = value / 1000, {"B": "kB", "kB": "MB", "MB": "GB"}[unit]
    text = f"{value:.0f}" if unit == "B" else f"{value:.1f}"
    return f"{_decimal(text)} {unit}"


def _number(count: int) -> str:
    """12.3 K, 4.5 M: as profiles show counts."""
    if count < 10_000:
        return str(count)
    scaled, letter = (count / 1e6, "M") if count >= 1e6 else (count / 1e3, "K")
    return f"{_decimal(f'{scaled:.1f}')} {letter}"


def _decimal(text: str) -> str:
    return text.replace(".", ",") if language() == "es" else text
