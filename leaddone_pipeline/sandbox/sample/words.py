"""What the invented customers are called, where they live and what they buy. Nobody real."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ARTICLES", "CITIES", "PEOPLE", "STREETS", "Article", "City"]


class Article(NamedTuple):
    """Something a shop sells; `price` in centimes of a dirham, per unit."""

    name: str
    price: int
    sku: str


class City(NamedTuple):
    """A city as customers write it, with its postcode and region."""

    name: str
    postcode: str
    region_code: str
    region: str


_LATIN_FIRST = (
    "Amine", "Salma", "Youssef", "Khadija", "Omar", "Imane", "Hamza", "Nadia", "Élodie", "Mehdi",
    "Zineb", "Rachid", "Houda", "Anass", "Sara", "Karim", "Loubna", "Adil", "Maëlle", "Soufiane",
)  # fmt: skip
_LATIN_LAST = (
    "Alaoui", "Bennani", "El Idrissi", "Tazi", "Berrada", "Chraïbi", "Lahlou", "Ouazzani", "Amrani",
    "Benjelloun", "Naciri", "Filali", "Bouzidi", "Sabri", "Mansouri", "Haddad", "Zerouali", "Kabbaj",
)  # fmt: skip
_ARABIC_FIRST = (
    "أحمد", "فاطمة", "محمد", "خديجة", "يوسف", "سلمى", "عبد الله", "نجاة", "حمزة", "مريم", "إبراهيم", "زينب",
)  # fmt: skip
_ARABIC_LAST = (
    "العلوي", "بناني", "الإدريسي", "التازي", "الناصري", "بوزيدي", "المنصوري", "الفيلالي", "حداد", "السباعي",
)  # fmt: skip

PEOPLE = (
    tuple(f"{first} {last}" for first in _LATIN_FIRST for last in _LATIN_LAST),
    tuple(f"{first} {last}" for first in _ARABIC_FIRST for last in _ARABIC_LAST),
)
"""Names in Latin letters, names in Arabic letters."""

_LATIN_CITIES = (
    City("Casablanca", "20000", "MA-06", "Casablanca-Settat"),
    City("Rabat", "10000", "MA-04", "Rabat-Salé-Kénitra"),
    City("Salé", "11000", "MA-04", "Rabat-Salé-Kénitra"),
    City("Marrakech", "40000", "MA-07", "Marrakech-Safi"),
    City("Fès", "30000", "MA-03", "Fès-Meknès"),
    City("Meknès", "50000", "MA-03", "Fès-Meknès"),
    City("Tanger", "90000", "MA-01", "Tanger-Tétouan-Al Hoceïma"),
    City("Tétouan", "93000", "MA-01", "Tanger-Tétouan-Al Hoceïma"),
    City("Agadir", "80000", "MA-09", "Souss-Massa"),
    City("Oujda", "60000", "MA-02", "Oriental"),
    City("Béni Mellal", "23000", "MA-05", "Béni Mellal-Khénifra"),
    City("El Jadida", "24000", "MA-06", "Casablanca-Settat"),
)
_ARABIC_CITIES = (
    City("الدار البيضاء", "20000", "MA-06", "الدار البيضاء سطات"),
    City("الرباط", "10000", "MA-04", "الرباط سلا القنيطرة"),
    City("مراكش", "40000", "MA-07", "مراكش آسفي"),
    City("فاس", "30000", "MA-03", "فاس مكناس"),
    City("طنجة", "90000", "MA-01", "طنجة تطوان الحسيمة"),
    City("أكادير", "80000", "MA-09", "سوس ماسة"),
)

CITIES = (_LATIN_CITIES, _ARABIC_CITIES)
"""Cities in Latin letters, cities in Arabic letters."""

STREETS = (
    (
        "rue des Orangers", "avenue Hassan II", "boulevard de l'Océan", "lotissement Al Amal, imm. B",
        "résidence Les Palmiers, appt 4", "derb El Kebir", "quartier Industriel", "rue Ibn Batouta",
    ),
    (
        "شارع الحسن الثاني", "حي السلام", "زنقة الزيتون", "تجزئة الأمل، عمارة ب", "درب الكبير", "حي النهضة",
    ),
)  # fmt: skip
"""Streets in Latin letters, streets in Arabic letters."""

ARTICLES = (
    Article("Écouteurs sans fil", 19900, "ECO-01"),
    Article("Montre connectée", 34900, "MON-02"),
    Article("Huile d'argan 100 ml", 12950, "HUI-03"),
    Article("Sac à dos / noir", 24900, "SAC-04"),
    Article("Mixeur portable", 17900, "MIX-05"),
    Article("Babouches cuir - Taille 42", 15000, "BAB-06"),
    Article("USB-C Cable 2 m", 4990, "USB-07"),
    Article("Lampe de bureau LED", 13900, "LAM-08"),
    Article("Crème hydratante", 8990, "CRE-09"),
    Article("Tapis de prière", 11000, "TAP-10"),
    Article("سماعات لاسلكية", 19900, "SAM-11"),
    Article("عباية سوداء", 39900, "ABA-12"),
    Article("طقم أواني المطبخ", 54900, "TAQ-13"),
    Article("ساعة يد رجالية", 27900, "SAA-14"),
    Article("زيت أركان طبيعي", 12950, "ZIT-15"),
)
