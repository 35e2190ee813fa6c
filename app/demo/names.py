"""What the people of the demo are called: Greek and Latin names, with the accents that real lists have."""

GREEK_WOMEN = (
    "Μαρία", "Ελένη", "Κατερίνα", "Βασιλική", "Σοφία", "Αγγελική", "Γεωργία", "Δήμητρα", "Κωνσταντίνα",
    "Παναγιώτα", "Ειρήνη", "Ευαγγελία", "Φωτεινή", "Χρυσούλα", "Ανδρομάχη", "Θεοδώρα", "Ζωή", "Ναυσικά",
    "Καλλιόπη", "Μαΐα",
)  # fmt: skip
GREEK_MEN = (
    "Γιώργος", "Γιάννης", "Κωνσταντίνος", "Δημήτρης", "Νικόλαος", "Παναγιώτης", "Βασίλης", "Χρήστος",
    "Αθανάσιος", "Μιχάλης", "Ευάγγελος", "Σπύρος", "Αντώνης", "Θεόδωρος", "Ηλίας", "Σταύρος", "Φώτης",
    "Ορφέας", "Αχιλλέας", "Άρης",
)  # fmt: skip
# A surname and its form for women.
GREEK_SURNAMES = (
    ("Παπαδόπουλος", "Παπαδοπούλου"), ("Οικονόμου", "Οικονόμου"), ("Βλαχόπουλος", "Βλαχοπούλου"),
    ("Καραγιάννης", "Καραγιάννη"), ("Αγγελόπουλος", "Αγγελοπούλου"), ("Νικολαΐδης", "Νικολαΐδου"),
    ("Γεωργίου", "Γεωργίου"), ("Δημητρίου", "Δημητρίου"), ("Χατζηδάκης", "Χατζηδάκη"), ("Μακρής",
    "Μακρή"), ("Σταματόπουλος", "Σταματοπούλου"), ("Θεοδωρίδης", "Θεοδωρίδου"), ("Ξενάκης", "Ξενάκη"),
    ("Ρήγας", "Ρήγα"), ("Ψαρράς", "Ψαρρά"), ("Ζαχαρίου", "Ζαχαρίου"), ("Λαμπράκης", "Λαμπράκη"),
    ("Φραγκούλης", "Φραγκούλη"), ("Τζαβέλας", "Τζαβέλα"), ("Ιωαννίδης", "Ιωαννίδου"),
)  # fmt: skip
LATIN_WOMEN = (
    "Zoë", "Chloé", "Amélie", "Françoise", "Jürgena", "Søfie", "Åsa", "Małgorzata", "Šárka", "Ayşe",
    "Núria", "Inês", "Beatriz", "Giulia", "Hannah", "Charlotte", "Saoirse", "Ioana", "Ljubica",
    "Eleftheria", "Vasiliki", "Aspasia",
)  # fmt: skip
LATIN_MEN = (
    "Jürgen", "Björn", "Łukasz", "Tomáš", "José", "François", "René", "Søren", "Çağlar", "Ștefan", "João",
    "Niccolò", "Oliver", "Wolfgang", "Giacomo", "Henrik", "Eamonn", "Miroslav", "Leonidas", "Panagiotis",
    "Stavros", "Evangelos",
)  # fmt: skip
LATIN_SURNAMES = (
    "Müller", "García-López", "O'Connor", "d'Angelo", "Lefèvre", "Ångström", "Wójcik", "Dvořák", "Yılmaz",
    "Gonçalves", "Schröder", "Ionescu", "Jovanović", "van den Berg", "Fitzgerald", "Papadakis",
    "Karagiannis", "Vlachou", "Bianchi", "Whitfield", "Nørgaard", "Stavropoulou",
)  # fmt: skip
# Long enough for a text to take one more part.
LONG_FIRST_NAMES = ("Marie-Antoinette Joséphine", "Bartholomäus Maximilian", "Maria de los Ángeles")
EMOJI = ("🌸", "😊", "💙", "🌞", "👩‍🍳", "🇬🇷")
