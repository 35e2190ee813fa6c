"""The sets that shops get as their own: five texts for each type of shop.

Lengths as in the shared library.
"""

from __future__ import annotations

from app.shops.models import EshopType
from app.templates.library.entry import SHOP_PURPOSES, LibraryText

# By type of shop, then by functional category.
TEXTS: dict[EshopType, dict[str, str]] = {
    EshopType.FASHION: {
        "welcome": "Hi {{first_name}}, you are on our style list. Watch for new drops and early access.",
        "promotion": "Hi {{first_name}}, refresh your wardrobe and pay less. Your code: {{discountCode}}",
        "reminder": "Hi {{first_name}}, the looks you saved are selling. Come back and choose your size.",
        "loyalty": "Thank you {{first_name}}! As a regular you get {{discountCode}} for your next outfit.",
        "upsell": "Hi {{first_name}}, the right shoes or bag would finish your look. See what we would pair.",
    },
    EshopType.BEAUTY: {
        "welcome": "Hi {{first_name}}, lovely to meet you. Routine tips and new arrivals will come by text.",
        "promotion": "Hi {{first_name}}, fill your shelf for less. Your code {{discountCode}} is waiting.",
        "reminder": "Hi {{first_name}}, is your favorite running low? Reorder now and do not miss a day.",
        "loyalty": "You keep coming back {{first_name}}, and we noticed. Enjoy {{discountCode}} next time.",
        "special": "Hi {{first_name}}, our newest set has just landed. Have a look and pick your shade.",
    },
    EshopType.ELECTRONICS: {
        "welcome": "Hi {{first_name}}, thanks for signing up. Launches and price drops come straight to you.",
        "promotion": "Hi {{first_name}}, your next device costs less this week with code {{discountCode}}.",
        "reminder": "Hi {{first_name}}, still comparing? The product you viewed is in stock, ready to ship.",
        "notification": "Hi {{first_name}}, this season's new devices are online. See the full range now.",
        "upsell": "Hi {{first_name}}, a case, a cable or a charger? See the extras that fit your new device.",
    },
    EshopType.FOOD: {
        "welcome": "Hi {{first_name}}, thanks for joining. We will text you when something fresh comes in.",
        "promotion": "Hi {{first_name}}, fill your basket for less today. Your code: {{discountCode}}",
        "reminder": "Hi {{first_name}}, is the cupboard looking empty? Reorder your usual in a minute.",
        "loyalty": "You are one of our best guests {{first_name}}. A treat for you: {{discountCode}}",
        "special": "Hi {{first_name}}, the season's specials are here. Taste them while they last.",
    },
    EshopType.SERVICES: {
        "welcome": "Hi {{first_name}}, thank you for choosing us. News and free times will come by text.",
        "promotion": "Hi {{first_name}}, book this week with {{discountCode}} and pay less for your visit.",
        "reminder": "Hi {{first_name}}, it has been a while. Shall we find a time that suits you?",
        "loyalty": "Thank you for your trust {{first_name}}. Use {{discountCode}} for your next booking.",
        "engagement": "Hi {{first_name}}, how was your last visit? Your honest opinion helps us do better.",
    },
    EshopType.HOME: {
        "welcome": "Hi {{first_name}}, come on in. Ideas, new collections and offers will come by text.",
        "promotion": "Hi {{first_name}}, redecorate for less: {{discountCode}} brings the price down.",
        "reminder": "Hi {{first_name}}, still thinking about that piece? It is ready for your home.",
        "engagement": "Hi {{first_name}}, we would love to see your room. Share a photo and inspire others.",
        "upsell": "Hi {{first_name}}, a lamp or a few cushions could complete your room. See our matches.",
    },
    EshopType.SPORTS: {
        "welcome": "Hi {{first_name}}, welcome to the team. Gear news and offers will keep you moving.",
        "promotion": "Hi {{first_name}}, train hard, pay less. Your code for new gear is {{discountCode}}.",
        "reminder": "Hi {{first_name}}, worn-out shoes slow you down. See what is new before your next run.",
        "loyalty": "You go the distance {{first_name}}, so here is your reward: {{discountCode}}",
        "engagement": "Hi {{first_name}}, what is your next challenge? Find the gear to match in our store.",
    },
    EshopType.BOOKS: {
        "welcome": "Hi {{first_name}}, good to meet a fellow reader. New titles and tips will come by text.",
        "promotion": "Hi {{first_name}}, your next chapter costs less with code {{discountCode}}.",
        "reminder": "Hi {{first_name}}, the book you looked at is still on our shelf. Start reading today.",
        "loyalty": "Thank you for reading with us {{first_name}}. Save on the next book: {{discountCode}}",
        "special": "Hi {{first_name}}, the new releases are in. Come and see which one is for you.",
    },
    EshopType.TOYS: {
        "welcome": "Hi {{first_name}}, come in and play! We will text you new toys and gift ideas.",
        "promotion": "Hi {{first_name}}, more play for less: use {{discountCode}} on your next order.",
        "reminder": "Hi {{first_name}}, a birthday coming up? Order the gift now and have it in good time.",
        "special": "Hi {{first_name}}, the toys of the season have arrived. Find the one they will ask for.",
        "upsell": "Hi {{first_name}}, the set you bought has matching pieces. See how it can grow.",
    },
    EshopType.GENERIC: {
        "welcome": "Hi {{first_name}}, thank you for subscribing. We will text you when there is real news.",
        "promotion": "Hi {{first_name}}, here is something for you: {{discountCode}} cuts your next bill.",
        "reminder": "Hi {{first_name}}, you left something behind. Your cart is saved, so come back soon.",
        "loyalty": "Thank you for staying with us {{first_name}}! Your thank-you code is {{discountCode}}.",
        "notification": "Hi {{first_name}}, fresh products are online now. Come and have a look around.",
    },
}


def _shop_set(eshop_type: EshopType, texts: dict[str, str]) -> tuple[LibraryText, ...]:
    return tuple(
        LibraryText(
            key=f"{eshop_type}_{category}",
            eshop_type=eshop_type,
            category=category,
            title=SHOP_PURPOSES[category].title,
            content=content,
            goal=SHOP_PURPOSES[category].goal,
            suggested_metrics=SHOP_PURPOSES[category].suggested_metrics,
        )
        for category, content in texts.items()
    )


SHOP_SETS = {eshop_type: _shop_set(eshop_type, texts) for eshop_type, texts in TEXTS.items()}
