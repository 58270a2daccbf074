"""The words of couriers, as sources.md 9 maps them (its table, copied)."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaddone_pipeline.contract import STATUS_RANK, Kind
from leaddone_pipeline.intake import load_source, source_names
from leaddone_pipeline.intake.statuses import Meaning, Vocabulary, fold_status

COURIERS = ["amana", "ameex", "coliix", "courier", "forcelog", "meta_livraison", "ozon_express", "sendit"]
FACTS = {
    "in-progress": (
        "Nouveau Colis|NEW_PARCEL|Attente De Ramassage|En attente de ramassage|WAITING_PICKUP|ATT_CONF|PENDING|"
        "TO_PREPARE|À préparer|NEW_DESTINATION|TOPICKUP|TO_PICKUP|Pré ramassé|VALID_FOR_PREPARING|Pas de réponse|"
        "Pas de réponse + SMS|J+2|J+3|NO_ANSWER|NO_ANSWER_SMS|NOANSWER|NOANSWER3|DEUX|TROIS|QUATRE|Injoignable|"
        "UNREACHABLE|INJOI|Boite Vocal|VOICEMAIL|BV|Erreur Numero|Numero_Erroné|WRONG_NUMBER|NUMBERERROR|ERR|"
        "Hors-zone|OUT_OF_AREA|Zone Non-couverte|Hors Secteur|sans adresse|INCORRECT_ADDRESS|Reporté|POSTPONED|"
        "reporté aujourd hui|Programmé|PROGRAMMER|SCHEDULED|Retardé|Relancer|RELAUNCH|Attente de relancer|"
        "Rappel en cours|Tentative échouée|2ème présentation|Echec livraison,à récupérer"
    ),
    "shipped": (
        "Ramassé|PICKED_UP|PICKED_UP_1|PICKEDUP|Collecté|Chargé|Pris en charge|Expédié|SENT|IN_SHIPMENT|"
        "expédier par AMANA|SENT_BY_AMANA|En transit|TRANSIT|Reçu|RECEIVED|RECEIVED_IN_AGENCY|"
        "Reçu En Agence De Livraison|Envoyé à l'agence|WAREHOUSE|Arrivé au hub|En cours de réception au network|"
        "EN_HUB|EN_NETWORK|DISTRIBUTED"
    ),
    "out_for_delivery": (
        "Mise en distribution|DISTRIBUTION|En cours de distribution|DELIVERING|OUT_FOR_DELIVERY|"
        "En cours de livraison|Sorti pour livraison|Confirmé par livreur|CONFIRMED_BY_LIVREUR|Mis à disposition|"
        "DISPOSITION|A récupèrer au guichet"
    ),
    "delivered": "Livré|Livrée|Livré *|Livrée *|Livraison effectuée|Remis au client|DELIVERED|Envoi livré",
    "returned": (
        "Retourné|RETURNED|Retour en cours|Retour en route|Demande de Retour|Retourné à l'expéditeur|"
        "En retour par AMANA|RETURN_BY_AMANA|Retourné Reçu par client|Préparation Retour|PREPAR_RETURN|"
        "PREPARED_FOR_RETOURNE|RERETURN|RETURNED_TO_VENDOR|RETURNED_TO_STOCK|Envoi retourné|Article retourné"
    ),
    Meaning.STILL: "En cours|IN_PROGRESS",
    Meaning.REFUSED: (
        "Refusé|REFUSE|REJECTED|Annulé|CANCELED|CANCELLED|Annulé ( SUIVI )|CANCELED_TEAM|Annulé par Vendeur|"
        "DOESNT_ORDER"
    ),
    Meaning.NOTHING: (
        "client intéressé|CLIENT_INTERESSE|Client pas intéressé|Relancé nouveau client|Changer destinataire|TSUIVI|"
        "En Voyage|EN_VOYAGE|TRAVELLING|Payé|PAID|Non Payé|NOT_PAID|Facturé|INVOICED|Remboursé|REFUNDED|LATER|"
        "DOUBLE|RETOUR_PENDING"
    ),
}
WORDS = [(word, meaning) for meaning, words in FACTS.items() for word in words.split("|")]


def vocabulary(name):
    return Vocabulary(load_source(name).tracking.statuses)


@pytest.mark.parametrize("courier", COURIERS)
def test_every_courier_knows_the_shared_words(courier):
    known = vocabulary(courier)

    assert [(word, known.meaning(word)) for word, _ in WORDS] == WORDS


@pytest.mark.parametrize(
    ("courier", "word", "meaning"),
    [
        ("amana", "Déposé", "shipped"),
        ("courier", "Déposé", None),
        ("sendit", "RETURN_WAREHOUSE", "returned"),
        ("courier", "RETURN_WAREHOUSE", None),
    ],
)
def test_what_one_courier_says_the_others_need_not(courier, word, meaning):
    assert vocabulary(courier).meaning(word) == meaning


@pytest.mark.parametrize("name", [name for name in source_names() if load_source(name).form(Kind.TRACKING)])
def test_no_word_of_a_source_has_two_meanings_and_all_meanings_are_known(name):
    statuses = load_source(name).tracking.statuses
    times = Counter(fold for words in statuses.values() for fold in {fold_status(word) for word in words})

    assert [word for word, count in times.items() if count > 1] == []
    assert set(statuses) <= set(STATUS_RANK) | set(Meaning)


@pytest.mark.parametrize(
    "word",
    ["livré", "LIVRE", " Livré  *", "✅ Livré", "Livré ( SUIVI )", "LIVRE_TEAM", "Livre\u0301", "Livré."],
)
def test_spelling_does_not_matter(word):
    assert vocabulary("courier").meaning(word) == "delivered"


def test_arabic_spelling_does_not_matter():
    known = Vocabulary({"delivered": ["تم التوصيل إلى العميل"]})

    assert known.meaning("تمّ التوصيل الى العميل") == "delivered"


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("Livrré", "Livré"), ("DELEVRY", "delivered"), ("ANUULE", "Annulé"), ("Perdu dans la nature", None)],
)
def test_an_unknown_word_means_nothing_and_has_the_nearest_named(word, nearest):
    known = vocabulary("courier")

    assert known.meaning(word) is None
    assert known.nearest(word) == nearest


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once(word):
    assert fold_status(fold_status(word)) == fold_status(word)
