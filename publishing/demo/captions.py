"""What the brands write under their videos."""

from __future__ import annotations

import random

from publishing.demo.cast import CLOTHING, GASTRONOMY, TOURISM

TEXTS: dict[str, tuple[str, ...]] = {
    GASTRONOMY: (
        "Salió la primera horneada de las 7. El que madruga come medialuna tibia.",
        "¿Cómo sabés si la masa madre está lista? Mirá lo que hace cuando la tocás.",
        "Tres errores que arruinan un chimichurri, y cómo arreglarlos antes del domingo.",
        "Pan de campo de 24 horas de fermentación, de principio a fin en 30 segundos.",
        "Probamos la receta de la abuela de Marta. Spoiler: le faltaba sal.",
        "El corte que nadie pide y que en la cocina nos peleamos por comer.",
        "Así armamos cien docenas de empanadas para la peña del sábado.",
        "Dulce de leche casero sin que se te pegue en la olla. Guardátelo.",
        "Nos preguntaron si la harina integral engorda menos. Responde Lucía.",
        "Un martes cualquiera a las cinco de la mañana, antes de abrir la persiana.",
        "Provoleta perfecta: la plancha, el tiempo y el momento de darla vuelta.",
        "Qué hacemos con el pan que sobra. Acá no se tira nada.",
        "La mesa larga del mediodía, vista desde la cocina.",
        "Alfajores de maicena: el secreto está en no apurar el frío.",
    ),
    CLOTHING: (
        "Del ovillo a la ruana: cuatro días de telar en medio minuto.",
        "Cómo lavar un suéter de lana sin que termine vistiendo a tu gato.",
        "Mismo jean, cuatro talles, cuatro personas. Decinos cuál te queda mejor.",
        "Teñimos con yerba mate. El color final nos sorprendió hasta a nosotras.",
        "¿Tiro alto o tiro medio? Te lo mostramos puesto y sin filtros.",
        "Lo que pasa en el taller cuando se corta la luz en plena temporada.",
        "Tres formas de usar la misma bufanda para no repetir en toda la semana.",
        "Así medimos un jean para que el talle sea el mismo talle siempre.",
        "La lana viene de una majada a veinte kilómetros. Te presentamos a Ramón.",
        "Arreglamos un bolsillo que llegó después de seis años de uso diario.",
        "Nos pidieron camperas para el viento de Río Grande. Las probamos ahí.",
        "Qué quiere decir de verdad la etiqueta que tiene tu remera.",
        "Preparamos los pedidos del Hot Sale: doscientas cajas y una sola cinta.",
        "Combinaciones que funcionan cuando no tenés ganas de pensar.",
    ),
    TOURISM: (
        "Amanecer en Potrerillos: por qué conviene salir una hora antes.",
        "Cuánto sale una escapada de tres días a la montaña, con cuentas claras.",
        "Cinco cosas que todos se olvidan de llevar a la alta montaña.",
        "Ruta 7 en invierno: qué mirar antes de subir y cuándo pegar la vuelta.",
        "Una bodega chica, una mesa para diez y un malbec que no está a la venta.",
        "El sendero fácil que tiene la mejor vista de todo el valle.",
        "Cómo llegar a El Chaltén sin dormir en tres terminales distintas.",
        "Lo que no te cuentan del viento patagónico, contado con el pelo en la cara.",
        "Pingüinos en temporada: cuándo ir, cuánto caminar y qué no hacer.",
        "Preguntas que nos hacen siempre: ¿hace falta auto? Depende, y te explicamos.",
        "Desayuno en la ruta 40: dónde paramos y qué pedimos siempre.",
        "Un día entero de caminata resumido en lo que tarda un mate.",
        "Equipaje de mano para diez días de frío. Entra todo, mirá.",
        "La parada que agregamos por error y ahora nadie quiere saltearse.",
    ),
}
CLOSINGS: dict[str, tuple[str, ...]] = {
    GASTRONOMY: ("¿Team salado o team dulce?", "Etiquetá a quien te debe una picada.", "Hoy hasta las 20.", "", ""),
    CLOTHING: ("Contanos cuál te llevás.", "Envíos a todo el país.", "Guardalo para cuando dudes.", "", ""),
    TOURISM: ("¿Con quién te vas?", "Guardalo para tu próximo viaje.", "Quedan lugares para este mes.", "", ""),
}
#: Two broad ones to choose from first, then the niche.
BROAD: dict[str, tuple[str, ...]] = {
    GASTRONOMY: ("#recetas", "#gastronomia", "#comidaargentina", "#foodtok"),
    CLOTHING: ("#modaargentina", "#moda", "#outfit", "#emprendedoras"),
    TOURISM: ("#viajes", "#argentina", "#turismo", "#viajeros"),
}
NICHE: dict[str, tuple[str, ...]] = {
    GASTRONOMY: ("#masamadre", "#medialunas", "#parrilla", "#empanadas", "#panaderia", "#asado", "#pancasero"),
    CLOTHING: ("#tejidoatelar", "#lanapatagonica", "#denim", "#hechoamano", "#modalenta", "#ropadeinvierno"),
    TOURISM: ("#mendoza", "#patagonia", "#ruta40", "#trekking", "#elchalten", "#enoturismo", "#ushuaia"),
}


def caption(rng: random.Random, sector: str) -> str:
    """A text of `sector` with four or five hashtags."""
    words = [rng.choice(TEXTS[sector]), rng.choice(CLOSINGS[sector])]
    tags = [*rng.sample(BROAD[sector], 2), *rng.sample(NICHE[sector], rng.choice((2, 3)))]
    return " ".join(part for part in (*words, " ".join(tags)) if part)
