"""Results in the project: named, grouped, drawn with the legend that lies beside them.

Styles are files (.qml) that the engine writes, so that results look right also where nobody calls what is below:
after `qgis_process`, or when a map is opened a year later.
"""

from pathlib import Path

from qgis.core import (
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
)

# QGIS keeps no reference to post-processors written in Python; without one they are gone before they are called, and
# nothing tells when they are needed no more.
_KEPT: dict[str, "_Dresser"] = {}


def dress(context: QgsProcessingContext, path: str, title: str, group: str, on_top: bool = False) -> None:
    """Prepare how a result will appear in the project, if it is going to be loaded there.

    Args:
        context: of the algorithm.
        path: the result.
        title: its name, unless the user (or a model) has chosen another.
        group: layer group for the results of one run.
        on_top: it comes above the other results in the group.
    """
    if not path or not context.willLoadLayerOnCompletion(path):
        return
    details = context.layerToLoadOnCompletionDetails(path)
    if details.outputName.isupper():  # ours; an output of a model bears the name its author gave
        details.name = title
    grouped_by_qgis = hasattr(details, "groupName")  # QGIS 3.32
    if grouped_by_qgis and not details.groupName:
        details.groupName = group
        details.layerSortKey = int(on_top)
    _KEPT[path] = _Dresser(path, "" if grouped_by_qgis else group, on_top)
    details.setPostProcessor(_KEPT[path])
    context.addLayerToLoadOnCompletion(path, details)


class _Dresser(QgsProcessingLayerPostProcessorInterface):
    """Styles one layer, and groups it where QGIS does not."""

    def __init__(self, path: str, group: str, on_top: bool) -> None:
        super().__init__()
        self._path = path
        self._group = group
        self._on_top = on_top

    def postProcessLayer(  # noqa: N802 - QGIS's name
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Called on the main thread, once the layer is loaded."""
        style = Path(self._path).with_suffix(".qml")
        if style.is_file():
            layer.loadNamedStyle(str(style))
            layer.triggerRepaint()
        project = context.project()
        if self._group and project is not None:
            _move_to_group(project, layer, self._group, self._on_top)


def _move_to_group(project: QgsProject, layer: QgsMapLayer, name: str, on_top: bool) -> None:
    root = project.layerTreeRoot()
    node = root.findLayer(layer.id())
    if node is None or node.parent() is None:
        return
    parent = node.parent()
    if parent.name() == name:  # QGIS adds layers beside the current one, which may be our last
        group = parent
    else:
        group = root.findGroup(name) or parent.insertGroup(0, name)
    copy = node.clone()
    copy.setExpanded(on_top)
    group.insertChildNode(0 if on_top else -1, copy)
    parent.removeChildNode(node)
