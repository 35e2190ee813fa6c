"""The library for everybody: ten store categories, five texts each.

Every text is GSM-7 and leaves room for the opt-out line in one part, with a first name of twelve letters and
a code of ten.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.shops.models import EshopType
from app.templates.library.entry import SHARED_PURPOSES, LibraryText


@dataclass(frozen=True)
class StoreCategory:
    """A category of the library. `texts` has one text for each of SHARED_PURPOSES, in that order."""

    name: str
    slug: str
    eshop_type: EshopType
    texts: tuple[str, str, str, str, str]

    def entries(self) -> list[LibraryText]:
        return [
            LibraryText(
                key=f"{self.slug}_{kind}_01",
                eshop_type=self.eshop_type,
                category=self.name,
                title=f"{self.name}: {purpose.title.lower()}",
                content=content,
                goal=purpose.goal,
                suggested_metrics=purpose.suggested_metrics,
            )
            for (kind, purpose), content in zip(SHARED_PURPOSES.items(), self.texts, strict=True)
        ]


STORE_CATEGORIES = (
    StoreCategory(
        "Fashion & Apparel",
        "fashion_apparel",
        EshopType.FASHION,
        (
            "Hi {{first_name}}, thanks for joining us. New styles and good offers will reach you here first.",
            "Hi {{first_name}}, your picks are still in your bag. Order while your size is available.",
            "Hi {{first_name}}, time for a new outfit? Pay less with code {{discountCode}} at checkout.",
            "Hi {{first_name}}, the style you were waiting for is back in stock. Choose your size today.",
            "Hi {{first_name}}, your clothes are packed and on the way. Your email has the tracking link.",
        ),
    ),
    StoreCategory(
        "Beauty & Cosmetics",
        "beauty_cosmetics",
        EshopType.BEAUTY,
        (
            "Welcome {{first_name}}! Expect beauty tips, first looks at new shades and offers by text.",
            "Hi {{first_name}}, your beauty bag is waiting. Finish your order and treat yourself this week.",
            "Hi {{first_name}}, your next beauty order costs less. Enter {{discountCode}} at checkout.",
            "Hi {{first_name}}, the favorite you missed is on our shelf again. Get yours while it lasts.",
            "Hi {{first_name}}, your beauty order has left us. The tracking details are in your inbox.",
        ),
    ),
    StoreCategory(
        "Electronics & Gadgets",
        "electronics_gadgets",
        EshopType.ELECTRONICS,
        (
            "Hi {{first_name}}, you are on the list. We will text you about new gadgets and price drops.",
            "Hi {{first_name}}, the device in your cart is still available. Ready to complete your order?",
            "Hi {{first_name}}, upgrade for less: code {{discountCode}} works on your next tech order.",
            "Hi {{first_name}}, it is back! The gadget you asked about is in stock again. Order it today.",
            "Hi {{first_name}}, your tech order has shipped. Track it with the link in your email.",
        ),
    ),
    StoreCategory(
        "Home & Living",
        "home_living",
        EshopType.HOME,
        (
            "Welcome home {{first_name}}! Ideas for every room and news of fresh pieces will come by text.",
            "Hi {{first_name}}, the pieces you chose for your home are still in your cart. Make them yours.",
            "Hi {{first_name}}, give a room a fresh look. Code {{discountCode}} lowers the price.",
            "Hi {{first_name}}, the piece you liked for your home is available again. Order yours today.",
            "Hi {{first_name}}, your home order is on the road. We have emailed you the tracking details.",
        ),
    ),
    StoreCategory(
        "Health & Wellness",
        "health_wellness",
        EshopType.SERVICES,
        (
            "Hi {{first_name}}, good to have you with us. Look out for simple wellness tips and offers.",
            "Hi {{first_name}}, you left your wellness order halfway. It is saved, so finish any time.",
            "Hi {{first_name}}, a push for your routine: {{discountCode}} saves you money this week.",
            "Hi {{first_name}}, what you were looking for is available again. Keep your routine going.",
            "Hi {{first_name}}, your wellness order is on its way. See your email to follow it.",
        ),
    ),
    StoreCategory(
        "Food & Beverage",
        "food_beverage",
        EshopType.FOOD,
        (
            "Welcome to our table {{first_name}}! Fresh arrivals, tasty ideas and offers come by text.",
            "Hi {{first_name}}, your basket is full of good things. Order now and enjoy them soon.",
            "Hungry {{first_name}}? Code {{discountCode}} makes your next order a little sweeter.",
            "Hi {{first_name}}, the flavor you missed is back. Stock up before it is gone again.",
            "Hi {{first_name}}, your order is packed with care and on its way. Enjoy every bite.",
        ),
    ),
    StoreCategory(
        "Jewelry & Accessories",
        "jewelry_accessories",
        EshopType.FASHION,
        (
            "Hi {{first_name}}, a warm welcome. You will be among the first to see our new pieces.",
            "Hi {{first_name}}, the piece you chose is still in your cart. Make it yours before it goes.",
            "Hi {{first_name}}, add a little sparkle. Code {{discountCode}} is yours to use at checkout.",
            "Hi {{first_name}}, the piece you admired is back in our collection. It may not stay for long.",
            "Hi {{first_name}}, your parcel is wrapped and on its way. The tracking link is in your email.",
        ),
    ),
    StoreCategory(
        "Baby & Kids",
        "baby_kids",
        EshopType.TOYS,
        (
            "Hi {{first_name}}, welcome to the family. We will text you handy finds for your little ones.",
            "Hi {{first_name}}, busy day? Your cart for the little one is saved and ready when you are.",
            "Hi {{first_name}}, they grow fast, so pay less: use {{discountCode}} on your next order.",
            "Hi {{first_name}}, the item you wanted for your child is in stock again. Order it in time.",
            "Hi {{first_name}}, your parcel for the little one has left us. Tracking is in your email.",
        ),
    ),
    StoreCategory(
        "Sports & Fitness",
        "sports_fitness",
        EshopType.SPORTS,
        (
            "You are in {{first_name}}! Training tips, new gear and offers for you will come by text.",
            "Hi {{first_name}}, your gear is waiting in the cart. Complete your order and get training.",
            "Hi {{first_name}}, new goal, new gear. Code {{discountCode}} cuts the price of your order.",
            "Hi {{first_name}}, the gear you were after is back. Get it before your next workout.",
            "Hi {{first_name}}, your gear is on the move. Follow it with the tracking link in your email.",
        ),
    ),
    StoreCategory(
        "Pet Supplies",
        "pet_supplies",
        EshopType.GENERIC,
        (
            "Hi {{first_name}}, welcome to the pack! We will text you tips and offers for your pet.",
            "Hi {{first_name}}, your pet's goodies are still in the cart. A few taps and they are yours.",
            "Hi {{first_name}}, something to wag about: {{discountCode}} saves you money today.",
            "Hi {{first_name}}, your pet's favorite is back in stock. Fill the bowl while it lasts.",
            "Hi {{first_name}}, your pet's parcel is on its way. Tracking details are in your email.",
        ),
    ),
)

SHARED_LIBRARY = tuple(entry for category in STORE_CATEGORIES for entry in category.entries())
