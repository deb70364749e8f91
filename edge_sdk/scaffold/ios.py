"""What the iOS template needs beside the facts of the model: names, the Xcode project's objects, flags."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from edge_sdk.scaffold.identifiers import type_name
from edge_sdk.scaffold.literals import pbx_string
from edge_sdk.scaffold.spec import MobileSpec, MobileTensor, ScaffoldOptions

#: Oldest iOS that the app's own code runs on: PhotosPicker, NavigationStack, MLModel.compileModel as async.
OLDEST_IOS = (16, 0)
#: Objects of the Xcode project. Their identifiers count up in this order, and Xcode sorts each kind by
#: identifier: so it writes the file back as it found it. New ones go to the end.
_OBJECTS = (
    "project",
    "group_main",
    "group_products",
    "folder_app",
    "folder_tests",
    "product_app",
    "product_tests",
    "target_app",
    "target_tests",
    "sources_app",
    "sources_tests",
    "frameworks_app",
    "frameworks_tests",
    "resources_app",
    "resources_tests",
    "dependency_tests",
    "proxy_tests",
    "package",
    "core",
    "core_in_app",
    "list_project",
    "list_app",
    "list_tests",
    "debug_project",
    "release_project",
    "debug_app",
    "release_app",
    "debug_tests",
    "release_tests",
)
#: Names that an app may not have, in lower case, for it is a Swift module and a folder of the project:
#: modules of Swift and Apple that sources import or are likely to, and the project's own.
_TAKEN = frozenset(
    """
    swift builtin cxx darwin dispatch distributed foundation observation os regexbuilder simd
    synchronization system testing xctest objectivec accelerate accounts activitykit alarmkit appintents
    arkit audiotoolbox avfoundation avkit carplay charts classkit cloudkit combine contacts coreai
    coreaudio corebluetooth coredata coregraphics corehaptics coreimage corelocation coremedia coremidi
    coreml coremotion corenfc corespotlight coretext coretransferable corevideo createml cryptokit
    eventkit foundationmodels gamecontroller gamekit gameplaykit healthkit homekit imageio
    imageplayground intents linkpresentation localauthentication mapkit mediaplayer messages metal
    metalkit modelio multipeerconnectivity musickit naturallanguage nearbyinteraction network passkit
    pdfkit pencilkit photos photosui quartzcore quicklook realitykit roomplan safariservices scenekit
    security sensorkit shazamkit social soundanalysis speech spritekit storekit swiftdata swiftui
    tabulardata tipkit translation uikit uniformtypeidentifiers usernotifications videotoolbox vision
    visionkit weatherkit webkit widgetkit edgecore edgemodelkit packages
    """.split()  # noqa: SIM905 - names, not lines
)
#: How Vision crops and scales for a fit of the contract.
_VISION_OPTIONS = {"stretch": "scaleFill", "crop": "centerCrop"}


def context(spec: MobileSpec, options: ScaffoldOptions) -> dict[str, Any]:
    """Return the variables of the iOS template.

    Args:
        spec: Facts of the model.
        options: Choices of the user.

    Returns:
        app: Name of the app's target, module and folder.
        bundle_id: Bundle identifier, as a string of the Xcode project.
        test_bundle_id: The same of the tests.
        display_name: Name below the icon, as a string of the Xcode project.
        deployment_target: Oldest iOS of the app, "16.0".
        model_name: Name of the model in the app's bundle, without ".mlpackage".
        ids: Identifiers of the Xcode project's objects, by role.
        vision_option: Case of VNImageCropAndScaleOption that stands for the contract's fit, or "".
        exact_reason: Why pictures take the exact path of the contract alone; "" where Vision is offered.
    """
    app = app_name(spec.name)
    picture = picture_input(spec)
    reason = why_no_vision(spec, picture) if picture else "the model takes no picture alone"
    # Android's identifiers may hold "_", those of iOS may not.
    bundle_id = options.application_id.replace("_", "-")
    return {
        "app": app,
        "bundle_id": _setting(bundle_id),
        "test_bundle_id": _setting(f"{bundle_id}.tests"),
        "display_name": _setting(options.title),
        "deployment_target": deployment_target(spec),
        "model_name": spec.model_file.removesuffix(".mlpackage"),
        "ids": _object_ids(app),
        "vision_option": ""
        if reason or not (picture and picture.image)
        else _VISION_OPTIONS[picture.image.fit],
        "exact_reason": reason or "",
    }


def flags(spec: MobileSpec, options: ScaffoldOptions) -> frozenset[str]:
    """Return what the model is like, for `when` of the template.

    "picture": the one input is a picture, so a photo can be chosen. "camera": frames of the camera fit, too.
    "vision": Vision can do the preprocessing. "boxes": outputs become boxes.
    """
    found = set()
    picture = picture_input(spec)
    if picture is not None and picture.image is not None:
        found.add("picture")
        if picture.image.resize != "none":
            found.add("camera")
            if why_no_vision(spec, picture) is None:
                found.add("vision")
    if spec.detections is not None:
        found.add("boxes")
    return frozenset(found)


def picture_input(spec: MobileSpec) -> MobileTensor | None:
    """Return the input that is a picture, where it is the only one; a demo cannot make up the others."""
    if len(spec.inputs) == 1 and spec.inputs[0].image is not None:
        return spec.inputs[0]
    return None


def why_no_vision(spec: MobileSpec, tensor: MobileTensor) -> str | None:
    """Return why Vision's own cropping and scaling cannot stand for the contract's, or None where it can."""
    image = tensor.image
    if image is None or tensor.coreml_image is None:
        return "the package takes numbers, not an image"
    if image.crop_fraction != 1:
        return f"the contract crops to {image.crop_fraction:g} of the picture first"
    if image.fit not in _VISION_OPTIONS:
        return "Vision does not document where its own padding goes"
    if image.resize == "none":
        return "the contract takes pictures of one size alone"
    if len(set(spec.labels)) < len(spec.labels):
        return "Vision tells classes by their labels alone, and two of the model's are the same"
    return None


def app_name(name: str) -> str:
    """Return the name of the app's target for a model of any name: a Swift module that hides nothing."""
    found = type_name(name)
    # With "Tests" behind it, it could be the name of another app's tests.
    return f"{found}App" if found.lower() in _TAKEN or found.lower().endswith("tests") else found


def deployment_target(spec: MobileSpec) -> str:
    """Return the oldest iOS on which both the model and the app's code run."""
    wanted = tuple(int(part) for part in (spec.deployment_target or "0").split("."))
    return ".".join(str(part) for part in max(wanted, OLDEST_IOS))


def _setting(text: str) -> str:
    """Return a text as the value of a build setting, quoted where Xcode quotes it.

    Xcode takes a "$" for the beginning of another setting's name, so a sign that looks like it stands there.
    """
    literal = text.replace("$", "\uff04")
    return literal if re.fullmatch(r"[A-Za-z0-9.]+", literal) else pbx_string(literal)


def _object_ids(app: str) -> dict[str, str]:
    first = hashlib.sha256(app.encode()).hexdigest()[:20].upper()
    return {role: f"{first}{place:04X}" for place, role in enumerate(_OBJECTS)}
