"""The section "Follow-up": the visits of one patient, what was measured, how it changed, and the probability."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import qt
import slicer
from PCRPredictorLib.follow.words import describe_when
from PCRPredictorLib.response.course import VISITS
from PCRPredictorLib.session.course.analysis import Analysis
from PCRPredictorLib.session.course.rows import rows_of
from PCRPredictorLib.session.course.words import describe_answer
from slicer.i18n import tr as _

from ..toolkit.path_field import path_of
from ..toolkit.plain_text import literal
from ..toolkit.table import Table
from ..visit_nodes import studies_in_scene

COLUMNS = {
    "name": _("Visit"),
    "when": _("When"),
    "tumour": _("Tumour"),
    "volume": _("Functional volume"),
    "change": _("Change"),
    "diameter": _("Longest diameter within a slice"),
    "probability": _("pCR"),
    "title": _("Exam"),
}
_CHART_WIDTH = 350  # pixels, which fit into the narrowest panel
USES = {  # of `VisitEntry`, in words
    "drawn": _("as it is drawn"),
    "gone": _("gone: no tumour is left"),
    "baseline": _("inside the first tumour's outline"),
}


class FollowUpControls:
    """Chooses the visits, measures them, and predicts from them.

    Args:
        ui: the section's widgets by name.
        analysis: with the visits.
        reveal: opens the section, because the user is asked something.
    """

    def __init__(self, ui: Any, analysis: Analysis, reveal: Callable[[], object]) -> None:
        self._ui, self._analysis, self._visits = ui, analysis, analysis.visits
        self._reveal = reveal
        self._activity = analysis.visits.session.activity
        self._table = Table(ui.followTable, COLUMNS, self._visits.show)
        self._rows: list[dict[str, object]] = []
        self._html = ""
        self._chart = Chart(ui.followChartLabel)
        for name in VISITS:
            ui.followVisitSelector.addItem(f"{name}, {describe_when(name, _)}", name)
            ui.followNameSelector.addItem(f"{name}, {describe_when(name, _)}", name)
        for use, text in USES.items():
            ui.followUseSelector.addItem(text, use)
        for name, act in {
            "followAddOpenButton": lambda: self._visits.add_open(ui.followVisitSelector.currentData),
            "followFindButton": self._find,
            "followAddButton": self._add_path,
            "followReadStudiesButton": self._answer,
            "followLeaveStudiesButton": lambda: self._visits.answer(()),
            "followShowButton": lambda: self._visits.show(self.chosen),
            "followRemoveButton": lambda: self._visits.remove(self.chosen),
            "followClearButton": self._visits.clear,
            "followMeasureButton": analysis.measure,
            "followPredictButton": analysis.predict,
            "followSaveButton": self._save,
        }.items():
            getattr(ui, name).connect("clicked(bool)", lambda _checked, act=act: act())
        ui.followUseSelector.connect("activated(int)", lambda *_: self._use())
        ui.followDaySpin.setRange(-1, 3000)
        ui.followDaySpin.setSpecialValueText(_("by the dates of the files"))
        ui.followDaySpin.connect("valueChanged(int)", lambda *_: self._set_day())
        ui.followPointSelector.connect("currentIndexChanged(int)", lambda *_: self._choose_point())
        ui.followNameSelector.connect("activated(int)", lambda *_: self._rename())
        ui.followPatientCheck.connect("toggled(bool)", analysis.allow_headers_to_differ)
        ui.followPath.settingKey = "BreastPCR/Visit"
        ui.followTable.connect("itemSelectionChanged()", self._update_chosen)
        self._activity.on_change.append(self.update)

    @property
    def chosen(self) -> str:
        """The visit that is chosen in the table, else the last one; "" without visits."""
        names, row = list(self._visits.entries), self._ui.followTable.currentRow()
        return names[row] if 0 <= row < len(names) else (names[-1] if names else "")

    def add_from(self, path: Path) -> None:
        """Add the exam, the exams or the table in a file or folder."""
        from PCRPredictorLib.session.course import reading  # needs packages that Slicer may lack at first

        visit = self._ui.followVisitSelector.currentData
        if reading.is_table(path):
            _add_table_reader()
            self._visits.read_values(lambda: reading.values_in(path), path.name)
        else:
            self._visits.ask(lambda: reading.studies_in(path, visit))

    def save_into(self, folder: Path) -> None:
        """Write the files of `pcr follow`."""
        from PCRPredictorLib.follow.files import write_follow_up  # needs packages that Slicer may lack at first

        self._analysis.save(folder, write_follow_up, dicom=self._ui.followDicomCheck.checked)

    def update(self) -> None:
        """Show the visits, what follows from them, and what can be done."""
        ui, problem, against = self._ui, self._analysis.problem(), self._analysis.problem(with_model=True)
        rows = [asdict(row) for row in rows_of(self._analysis, _)]
        if rows != self._rows:
            self._fill(rows)
        self._update_question()
        self._update_chosen()
        self._update_points()
        selector = ui.followVisitSelector
        if selector.currentData in self._visits.entries and self._visits.next_visit:
            selector.setCurrentIndex(selector.findData(self._visits.next_visit))
        ui.followReasonLabel.text = against or "" if self._visits.entries and not self._activity.doing else ""
        ui.followMeasureButton.enabled, ui.followPredictButton.enabled = problem is None, against is None
        ui.followMeasureButton.toolTip = literal(problem) or _("Measure the tumour at each visit.")
        ui.followPredictButton.toolTip = literal(against) or _(
            "Measure each visit, and predict the probability of pCR after each."
        )
        ui.followSaveButton.enabled = self._analysis.can_save
        ui.followDicomCheck.enabled = self._analysis.is_from_dicom
        html = describe_answer(self._analysis, _)
        if html != self._html:
            self._html = html
            ui.followBrowser.setHtml(html)
        ui.followBrowser.visible = bool(html)
        self._chart.show(self._analysis)

    def _fill(self, rows: list[dict[str, object]]) -> None:
        table, chosen = self._ui.followTable, self._ui.followTable.currentRow()
        before = table.blockSignals(True)
        if self._rows and not rows:  # begin again
            self._ui.followVisitSelector.setCurrentIndex(0)
        self._rows = rows
        self._table.clear()
        for row in rows:
            self._table.add(row)
        table.resizeColumnsToContents()
        if rows:
            table.selectRow(min(max(chosen, 0), len(rows) - 1))
        table.blockSignals(before)

    def _update_chosen(self) -> None:
        """Show tumour and name of the chosen visit."""
        ui, entry = self._ui, self._visits.entries.get(self.chosen)
        has_exam = entry is not None and entry.exam is not None
        idle = not self._activity.doing
        for name in ("Remove", "Clear"):
            getattr(ui, f"follow{name}Button").enabled = entry is not None and idle
        ui.followShowButton.enabled = has_exam and idle and entry.name != self._visits.active
        ui.followUseSelector.enabled, ui.followNameSelector.enabled = has_exam, entry is not None
        for selector, data in ((ui.followUseSelector, "use"), (ui.followNameSelector, "name")):
            selector.setCurrentIndex(selector.findData(getattr(entry, data)) if entry is not None else -1)

        ui.followDaySpin.enabled = entry is not None
        before = ui.followDaySpin.blockSignals(True)
        ui.followDaySpin.setValue(-1 if entry is None or entry.day is None else entry.day)
        ui.followDaySpin.blockSignals(before)

    def _update_points(self) -> None:
        selector, points = self._ui.followPointSelector, self._analysis.points
        before = selector.blockSignals(True)
        if [selector.itemText(k) for k in range(selector.count)] != points:
            selector.clear()
            selector.addItems(points)
        selector.setCurrentIndex(points.index(self._analysis.point) if points else -1)
        selector.blockSignals(before)
        selector.enabled = bool(points)

    def _update_question(self) -> None:
        """Ask which visit each study is."""
        ui, studies = self._ui, self._visits.question
        table = ui.followStudyTable
        ui.followStudyFrame.visible = bool(studies)
        if studies:
            self._reveal()
        if [table.item(k, 0).text() for k in range(table.rowCount)] == [study.title for study in studies]:
            return
        text = _("Several studies were found. Which visit is each?")
        ui.followStudyLabel.text = " ".join(filter(None, (text, studies[0].remark if studies else "")))
        table.setRowCount(0)
        table.setColumnCount(2)
        table.setHorizontalHeaderLabels([_("Study"), _("Visit")])
        table.setRowCount(len(studies))
        for k, study in enumerate(studies):
            table.setItem(k, 0, qt.QTableWidgetItem(study.title))
            field = qt.QComboBox()
            for text, name in ((_("not a visit"), ""), *((name, name) for name in VISITS)):
                field.addItem(text, name)
            field.setCurrentIndex(field.findData(study.visit))
            table.setCellWidget(k, 1, field)
        table.resizeColumnsToContents()

    def _answer(self) -> None:
        table = self._ui.followStudyTable
        self._visits.answer([table.cellWidget(k, 1).currentData for k in range(table.rowCount)])

    def _add_path(self) -> None:
        if (path := path_of(self._ui.followPath)) is None:
            self._activity.report_problem(
                _("Choose a file or folder with the exam of the visit, or a table of values.")
            )
            return
        self._ui.followPath.addCurrentPathToHistory()
        self.add_from(path)

    def _find(self) -> None:
        if (studies := self._activity.attempt(studies_in_scene)) is not None:
            self._visits.ask_among(studies)

    def _use(self) -> None:
        if self.chosen:
            self._visits.use(self.chosen, self._ui.followUseSelector.currentData)

    def _set_day(self) -> None:
        if self.chosen:
            day = self._ui.followDaySpin.value
            self._visits.set_day(self.chosen, day if day >= 0 else None)

    def _choose_point(self) -> None:
        if name := self._ui.followPointSelector.currentText:
            self._analysis.choose_point(name)

    def _rename(self) -> None:
        if self.chosen and self._ui.followNameSelector.currentData != self.chosen:
            self._visits.rename(self.chosen, self._ui.followNameSelector.currentData)

    def _save(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the follow-up"))
        if folder:
            self.save_into(Path(folder) / "pcr-follow-up")


def _add_table_reader() -> None:
    """Let tables be read as PCR Training, the other module of the extension, reads them."""
    with suppress(ModuleNotFoundError):  # then the sentence about it says so
        from PCRTrainingLib.calls.follow_tables import add_table_reader

        add_table_reader()


class Chart:
    """The chart of the follow-up in a label; drawn again only if the answer has changed.

    Args:
        label: a `QLabel`.
    """

    def __init__(self, label: Any) -> None:
        self._label, self._drawn = label, None

    def show(self, analysis: Analysis) -> None:
        """Show the chart of the answer, or none."""
        if analysis.answer is self._drawn:
            return
        self._drawn = analysis.answer
        picture = qt.QPixmap()
        if self._drawn is not None and self._drawn.chart:
            picture.loadFromData(qt.QByteArray(self._drawn.chart))
            picture = picture.scaledToWidth(_CHART_WIDTH, qt.Qt.SmoothTransformation)
        self._label.setPixmap(picture)
        self._label.visible = not picture.isNull()
