"""Stand-ins for CTK's widgets, as far as the panels use them."""

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal


def stored(kind, name, default, changed=None):
    """A Qt property that is stored in the object; `changed` names the method that is called when it changes."""

    def get(self):
        return self.__dict__.get("_" + name, default)

    def put(self, value):
        before = get(self)
        self.__dict__["_" + name] = value
        if changed and before != value:
            getattr(self, changed)()

    return Property(kind, get, put)


def with_setters(cls):
    """Give a class `setName(value)` for every property `name`."""
    for name, value in list(vars(cls).items()):
        setter = "set" + name[0].upper() + name[1:]
        if isinstance(value, Property) and not hasattr(cls, setter):
            setattr(cls, setter, lambda self, new, name=name: setattr(self, name, new))
    return cls


@with_setters
class ctkCollapsibleButton(QtWidgets.QWidget):
    """As in CTK, it cannot be narrower than its contents (size policy Minimum), open or not."""

    contentsCollapsed = Signal(bool)
    collapsed = stored(bool, "collapsed", False, "_apply")
    text = stored(str, "text", "", "_apply")

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setSizePolicy(QtWidgets.QSizePolicy.Minimum, QtWidgets.QSizePolicy.Preferred)
        self._button = QtWidgets.QToolButton(self)
        self._button.setToolButtonStyle(QtCore.Qt.ToolButtonTextBesideIcon)
        bold = self._button.font
        bold.setBold(True)
        self._button.setFont(bold)
        self.setContentsMargins(0, 24, 0, 0)
        self._apply()

    def _apply(self):
        self._button.setText(self.text)
        self._button.setArrowType(QtCore.Qt.RightArrow if self.collapsed else QtCore.Qt.DownArrow)
        if self.collapsed:
            self._open = [w for w in self._contents() if not w.isHidden()]
            for widget in self._open:
                widget.setVisible(False)
        else:
            for widget in self.__dict__.pop("_open", []):
                widget.setVisible(True)
        self.setMaximumHeight(26 if self.collapsed else 16777215)
        self.contentsCollapsed.emit(self.collapsed)

    def _contents(self):
        children = self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindDirectChildrenOnly)
        return [child for child in children if child is not self._button]

    def showEvent(self, _event):
        if self.collapsed and "_open" in self.__dict__ and not self._open:
            self._apply()

    def mousePressEvent(self, _event):
        self.collapsed = not self.collapsed

    def resizeEvent(self, _event):
        self._button.setGeometry(0, 0, self.width, 24)
        self._button.setAttribute(QtCore.Qt.WA_TransparentForMouseEvents)

    def sizeHint(self):
        return self._head() if self.collapsed else super().sizeHint().expandedTo(self._head())

    def minimumSizeHint(self):
        return self._head() if self.collapsed else super().minimumSizeHint().expandedTo(self._head())

    def _head(self):
        return QtCore.QSize(self._button.sizeHint().width(), 26)


@with_setters
class ctkFittedTextBrowser(QtWidgets.QTextBrowser):
    """As in CTK, as high as its text and never wider than what is around it."""

    disableMouseScroll = stored(bool, "disableMouseScroll", False)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Preferred)
        self.textChanged.connect(self.updateGeometry)

    def heightForWidth(self, width):
        document, frame = self.document, 2 * self.frameWidth
        before = document.textWidth
        document.setTextWidth(width - frame)
        height = document.documentLayout().documentSize().height() + frame
        document.setTextWidth(before)
        return int(max(height, QtGui.QFontMetrics(document.defaultFont).lineSpacing() + frame))

    def minimumSizeHint(self):
        width = self.width
        return QtCore.QSize(width, self.heightForWidth(width)) if width else super().minimumSizeHint()

    def sizeHint(self):
        return self.minimumSizeHint()

    def resizeEvent(self, event):
        super().resizeEvent(event)
        if event.size().height() != self.heightForWidth(event.size().width()):
            self.updateGeometry()


@with_setters
class ctkSliderWidget(QtWidgets.QWidget):
    valueChanged = Signal(float)
    minimum = stored(float, "minimum", 0.0, "_apply")
    maximum = stored(float, "maximum", 99.0, "_apply")
    singleStep = stored(float, "singleStep", 1.0, "_apply")
    decimals = stored(int, "decimals", 2, "_apply")
    suffix = stored(str, "suffix", "", "_apply")

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._slider, self._box = QtWidgets.QSlider(QtCore.Qt.Horizontal), QtWidgets.QDoubleSpinBox()
        self._slider.setRange(0, 1000)
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._box.valueChanged.connect(self._moved)
        self._apply()

    def _moved(self, value):
        span = self.maximum - self.minimum
        self._slider.setValue(round((value - self.minimum) / span * 1000) if span > 0 else 0)
        self.valueChanged.emit(value)

    def _apply(self):
        self._box.setDecimals(self.decimals)
        self._box.setRange(self.minimum, self.maximum)
        self._box.setSingleStep(self.singleStep)
        self._box.setSuffix(self.suffix)
        self._moved(self._box.value)

    value = Property(float, lambda self: self._box.value, lambda self, value: self._box.setValue(value))


@with_setters
class ctkPathLineEdit(QtWidgets.QWidget):
    """As in CTK, a cleared path emits validInputChanged only, and paths are remembered only if they were added.

    An empty field takes the last one of its history.
    """

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)
    Files, Dirs = 2, 1
    filters = stored(int, "filters", 0)
    settingKey = stored(str, "settingKey", "", "retrieveHistory")

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self._box, self._button = QtWidgets.QComboBox(), QtWidgets.QToolButton()
        self._box.setEditable(True)
        self._box.setInsertPolicy(QtWidgets.QComboBox.NoInsert)
        self._line = self._box.lineEdit()
        self._button.setText("...")
        layout.addWidget(self._box)
        layout.addWidget(self._button)
        self._valid = False
        self._line.textChanged.connect(self._tell)

    def _tell(self, path):
        before, self._valid = self._valid, bool(path)
        if path:
            self.currentPathChanged.emit(path)
        if self._valid != before:
            self.validInputChanged.emit(self._valid)

    def retrieveHistory(self):
        path = self.currentPath
        self._box.clear()
        self._box.addItems(self._history()[:5])
        if path:
            self.currentPath = path
        else:
            self._box.setCurrentIndex(0)

    def addCurrentPathToHistory(self):
        path = self.currentPath
        if path:
            history = [path, *(old for old in self._history() if old != path)]
            QtCore.QSettings().setValue(self._key(), history)
            self._box.clear()
            self._box.addItems(history[:5])
            self._box.setCurrentIndex(0)

    def _history(self):
        kept = QtCore.QSettings().value(self._key())
        return [kept] if isinstance(kept, str) else list(kept or [])

    def _key(self):
        return f"ctkPathLineEdit/{self.settingKey or self.objectName}"

    def sizeHint(self):
        return QtCore.QSize(self.minimumSizeHint().width(), self._box.sizeHint().height())

    def minimumSizeHint(self):
        return QtCore.QSize(self._button.minimumSizeHint().width() + 30, self._box.minimumSizeHint().height())

    currentPath = Property(str, lambda self: self._line.text, lambda self, path: self._line.setText(path))


CTK_WIDGETS = {
    cls.__name__: cls for cls in (ctkCollapsibleButton, ctkFittedTextBrowser, ctkSliderWidget, ctkPathLineEdit)
}
