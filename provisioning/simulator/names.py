"""Names as people have them: accents, apostrophes, hyphens, two surnames, one word alone, and several scripts."""

from __future__ import annotations

GIVEN = (
    "Ada", "Zoë", "José", "Siân", "Łukasz", "Nguyễn", "Márta", "Søren", "Anaïs", "D'Arcy", "Jean-Luc", "Fatima",
    "Mehmet", "Olga", "Ximena", "Björk", "Priya", "Kwame", "Noor", "Iñaki", "Renée", "Çağla", "Yusuf", "Grace",
    "明", "花子", "민준", "محمد", "נועה", "Дмитрий", "Ελένη", "Chukwuemeka", "Tāne", "Aoife", "Þóra", "Maria Clara",
)  # fmt: skip
FAMILY = (
    "Lovelace", "O'Brien", "García Márquez", "Müller-Lüdenscheid", "Østergård", "Nguyễn", "van der Berg", "Smith",
    "D'Angelo", "Żółkowski", "Núñez de la Cruz", "Ó Súilleabháin", "St. John", "Çelik", "Håkansson", "Dvořáková",
    "田中", "김", "العربي", "כהן", "Иванова", "Παπαδόπουλος", "Okonkwo", "Singh", "Wolfeschlegelsteinhausenbergerdorff",
    "Tui", "Þorsteinsdóttir", "Le Goff", "Ng", "E", "Ivanov-Petrov", "de Souza e Silva",
)  # fmt: skip
DEPARTMENTS = (
    "Engineering", "R&D", "Finance", "People & Culture", "Sales (EMEA)", "Legal", "Équipe Données", "Clinical",
    "IT / Ops",
)  # fmt: skip
TITLES = ("Engineer", "Analyst", "Head of Nothing", "Médecin", "Associate", "Vice-President", "Nurse", "Stagiaire")
TEAMS = (
    "Engineering - Platform", "R&D", "Finance EU", "Équipe Données", 'On-call "A"', "Sales (EMEA)", "Legal / Privacy",
    "Clinical: Ward 7", "Everyone", "データ分析", "Interns 2026", "eng-prod-admins", "eng-dev-readers", "Contractors",
)  # fmt: skip
