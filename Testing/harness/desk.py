"""A window with the panel beside live views, for screenshots; it does not look exactly like Slicer's."""

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from .plots import PlotView

TEXTS = (QtWidgets.QLabel, QtWidgets.QPushButton, QtWidgets.QCheckBox)
_NOTE = "Test harness: Slicer's core and views, stand-ins for its widgets"


SYSTEM_HEIGHT = 70  # pixels of a screen that the title bar and the task bar take


class ModulePanel(QtWidgets.QScrollArea):
    """Slicer's module panel: without a horizontal scroll bar, and no narrower than what the module's panel demands."""

    def __init__(self, panel):
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QtWidgets.QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarAlwaysOff)
        contents = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(contents)
        layout.setSizeConstraint(QtWidgets.QLayout.SetMinAndMaxSize)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(panel, 1)
        panel.layout().setContentsMargins(0, 0, 0, 0)
        panel.setSizePolicy(QtWidgets.QSizePolicy.Minimum, panel.sizePolicy.verticalPolicy())
        panel.setVisible(True)
        self.setWidget(contents)

    def minimumSizeHint(self):
        bar = self.verticalScrollBar().sizeHint().width()
        return QtCore.QSize(self.widget().minimumSizeHint().width() + bar, 60)


def cut_texts(panel):
    """Return the visible texts of a panel that are not drawn completely, as "widget: text"."""
    found = []
    for widget in panel.findChildren(QtWidgets.QWidget):
        if not isinstance(widget, TEXTS) or not widget.isVisibleTo(panel) or not widget.text:
            continue
        if isinstance(widget, QtWidgets.QLabel) and widget.wordWrap:
            cut = widget.heightForWidth(widget.width) > widget.height
        else:
            cut = widget.minimumSizeHint().width() > widget.width
        if cut or widget.mapTo(panel, QtCore.QPoint(widget.width, 0)).x() > panel.width:
            found.append(f"{widget.objectName}: {widget.text[:60]}")
    return found


class Desk(QtWidgets.QMainWindow):
    """The panel on the left, the views of the layout on the right.

    Args:
        size: of the window, or, if it is framed, of the screen: width and height in pixels.
        framed: with what Slicer and the system show above and below the module panel.
    """

    def __init__(self, panel, title, size=(1500, 900), width=420, *, framed=False):
        super().__init__()
        self._views = QtWidgets.QWidget()
        QtWidgets.QGridLayout(self._views).setSpacing(2)
        self._scroll = ModulePanel(panel)
        splitter = QtWidgets.QSplitter()
        splitter.addWidget(_framed(self._scroll, title) if framed else self._scroll)
        if framed:
            self._add_bars(title)
        splitter.addWidget(self._views)
        self.setCentralWidget(splitter)
        self.setWindowTitle(title)
        self.statusBar().addWidget(QtWidgets.QLabel(_NOTE))
        self._splitter, self._width = splitter, width
        self.fit_screen(size) if framed else self.resize(*size)
        splitter.setSizes([width, size[0] - width])

    def fit_screen(self, size):
        """Be as large as a screen allows.

        Args:
            size: width and height in pixels.
        """
        self.resize(size[0], size[1] - SYSTEM_HEIGHT)
        self._splitter.setSizes([self._width, size[0] - self._width])

    def save(self, path, scroll_to=None, *, views=True):
        """Write a picture of the window as PNG, scrolled to a widget of the panel.

        Args:
            views: also draw the views anew.
        """
        self.show()
        if views:
            self._draw_views()
        for _ in range(3):  # a label that grew moves its section, then the panel
            QtWidgets.QApplication.processEvents()
        if scroll_to is not None:
            self._scroll.verticalScrollBar().setValue(scroll_to.mapTo(self._scroll.widget(), QtCore.QPoint(0, 0)).y())
        QtWidgets.QApplication.processEvents()
        self.grab().save(str(path))

    def _add_bars(self, title):
        for name in ("File", "Edit", "View", "Help"):
            self.menuBar().addMenu(name)
        bar = self.addToolBar("modules")
        bar.setFixedHeight(42)
        bar.addWidget(QtWidgets.QLabel(f"  DATA   DCM   SAVE   Modules:  {title}"))

    def _draw_views(self):
        grid, manager = self._views.layout(), slicer.app.layoutManager()
        while grid.count():
            old = grid.takeAt(0).widget()
            old.hide()
            old.deleteLater()
        for row, names in enumerate(manager.shown):
            for column, name in enumerate(names):
                if isinstance(view := manager.views[name], PlotView):
                    view.resize((self._views.width() // len(names), self._views.height() // len(manager.shown) - 24))
                grid.addWidget(_picture(name, view), row, column)


def _framed(scroll, title):
    """Return the module panel below logo and help, above the data probe, as in Slicer."""
    frame = QtWidgets.QWidget()
    box = QtWidgets.QVBoxLayout(frame)
    box.setContentsMargins(0, 0, 0, 0)
    for text, height in ((" 3D Slicer", 48), (f" Help and Acknowledgement: {title}", 28)):
        box.addWidget(_bar(text, height))
    box.addWidget(scroll, 1)
    box.addWidget(_bar(" Data Probe", 24))
    return frame


def _bar(text, height):
    label = QtWidgets.QLabel(text)
    label.setFixedHeight(height)
    label.setFrameShape(QtWidgets.QFrame.StyledPanel)
    return label


def _picture(name, view):
    pixels = view.pixels()
    rows, columns, _ = pixels.shape
    image = QtGui.QImage(pixels.tobytes(), columns, rows, 3 * columns, QtGui.QImage.Format_RGB888)
    colour = "#{:02x}{:02x}{:02x}".format(*(round(255 * c) for c in view.node.GetLayoutColor()))
    frame, bar, picture = QtWidgets.QWidget(), QtWidgets.QLabel(f" {name}"), QtWidgets.QLabel()
    bar.setStyleSheet(f"background:{colour}; font-weight:bold")
    bar.setFixedHeight(18)
    picture.setPixmap(QtGui.QPixmap.fromImage(image))
    picture.setScaledContents(True)
    picture.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Ignored)
    box = QtWidgets.QVBoxLayout(frame)
    box.setSpacing(0)
    box.setContentsMargins(0, 0, 0, 0)
    box.addWidget(bar)
    box.addWidget(picture, 1)
    return frame
