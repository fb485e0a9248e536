"""German and French: complete, with the same placeholders, and shown."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "translations.py"
LANGUAGES = ("de", "fr")


@pytest.fixture(scope="module")
def translations():
    spec = importlib.util.spec_from_file_location("translations", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def compiled(translations, tmp_path_factory):
    if translations.lrelease() is None:
        pytest.skip("Qt's lrelease is not installed: apt-get install qttools5-dev-tools")
    folder = tmp_path_factory.mktemp("i18n")
    subprocess.run([sys.executable, str(SCRIPT), "compile", "--out", str(folder)], check=True)
    return folder


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated(translations, language):
    """After new sentences: scripts/translations.py update, and fill in what is unfinished."""
    found, known = set(translations.sentences()), translations.translations(language)
    assert not found - known.keys()
    assert not known.keys() - found, "sentences that are gone"


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_and_paragraphs_survive(translations, language):
    for sentence, text in translations.translations(language).items():
        assert sorted(re.findall(r"{[^}]*}", sentence)) == sorted(re.findall(r"{[^}]*}", text)), text
        assert sentence.count("\n") == text.count("\n"), text


@pytest.mark.parametrize(
    ("language", "name", "missing_rate"),
    [("de", "Landbedeckung kartieren", "Anteil fehlender Sensoren"),
     ("fr", "Cartographier l'occupation du sol", "Taux de capteurs manquants")],
)  # fmt: skip
def test_algorithms_appear_in_the_language_of_qgis(compiled, qgis_app, monkeypatch, language, name, missing_rate):
    from qgis.PyQt.QtCore import QCoreApplication

    from qgis_plugin import translation
    from qgis_plugin.algorithms.predict import PredictAlgorithm
    from qgis_plugin.algorithms.train import TrainAlgorithm

    monkeypatch.setattr(translation, "_FOLDER", compiled)
    translator = translation.load_translator(f"{language}_XX")
    QCoreApplication.installTranslator(translator)
    try:
        assert PredictAlgorithm().displayName() == name
        train = TrainAlgorithm()
        train.initAlgorithm()
        assert train.parameterDefinition("MISSING_RATE").description() == missing_rate
    finally:
        QCoreApplication.removeTranslator(translator)
    assert PredictAlgorithm().displayName() == "Map land cover"


def test_other_languages_stay_english():
    from qgis_plugin.translation import load_translator

    assert load_translator("xx_YY") is None
