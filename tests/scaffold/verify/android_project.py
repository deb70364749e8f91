"""A small Android project for tests of verification: written by hand, rendered by the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_sdk.bundle.digest import sha256_of
from edge_sdk.resources import data_folder
from edge_sdk.scaffold.fixed_shapes import with_fixed_shapes
from edge_sdk.scaffold.project import create_project
from edge_sdk.scaffold.render import Content, render, spec_json
from edge_sdk.scaffold.spec import MobileSpec, MobileTensor
from edge_sdk.scaffold.template import load_template
from tests.scaffold.bundles import MODELS
from tests.scaffold.tiny import OPTIONS, spec_of

CATALOG = """\
[versions]
agp = "9.4.0"
kotlin = "2.4.20"
litert = "2.3.2"
compile-sdk = "36"

[libraries]
litert = { module = "com.google.ai.edge.litert:litert", version.ref = "litert" }
androidx-core-ktx = "androidx.core:core-ktx:1.19.0"
compose-bom = { group = "androidx.compose", name = "compose-bom", version = "2026.09.00" }
compose-ui = { module = "androidx.compose.ui:ui" }

[bundles]
compose = ["compose-ui"]

[plugins]
android-application = { id = "com.android.application", version.ref = "agp" }
kotlin-jvm = { id = "org.jetbrains.kotlin.jvm", version.ref = "kotlin" }
"""
APP = """\
plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "com.example.digits"
    compileSdk = libs.versions.compile.sdk.get().toInt()
    buildTypes {
        release {
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "proguard-rules.pro")
        }
    }
}

dependencies {
    implementation(project(":edge-core"))
    implementation(libs.litert)
    implementation(libs.androidx.core.ktx) // not libs.nothing.at.all
    implementation(platform(libs.compose.bom))
    implementation(libs.bundles.compose)
}
"""
MAIN = """\
package com.example.digits

import android.os.Bundle
import androidx.activity.ComponentActivity
import com.google.ai.edge.litert.Accelerator
import edge.core.Accelerator as Rung

class MainActivity : ComponentActivity() {
    internal val title: String get() = getString(R.string.app_name)

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        println(Accelerator.GPU.name + Rung.NPU.key)
    }
}
"""
FILES: Mapping[str, str] = {
    "settings.gradle.kts": 'rootProject.name = "digits"\ninclude(":app", ":edge-core")\n',
    "build.gradle.kts": "plugins {\n    alias(libs.plugins.kotlin.jvm) apply false\n}\n",
    "gradle/libs.versions.toml": CATALOG,
    "app/build.gradle.kts": APP,
    "app/proguard-rules.pro": "-keep class com.google.ai.edge.litert.** { *; }\n",
    "app/src/main/AndroidManifest.xml": """\
<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android">
    <application android:label="@string/app_name">
        <activity android:name=".MainActivity" android:exported="true" />
    </application>
</manifest>
""",
    "app/src/main/res/values/strings.xml": '<resources>\n    <string name="app_name">Digits</string>\n'
    "</resources>\n",
    "app/src/main/kotlin/com/example/digits/MainActivity.kt": MAIN,
}
_CORE = "edge-core"
_SPEC = "src/main/kotlin/edge/core/generated/ModelSpec.kt"


def facts_of(model: bytes, **changes: Any) -> MobileSpec:
    """Return the facts of tests/data/models/dynamic_batch.tflite with a fixed batch."""
    fields: dict[str, Any] = {
        "model_sha256": sha256_of(model),
        "model_size": len(model),
        "inputs": (_tensor("x", 8),),
        "outputs": (_tensor("y", 3),),
    }
    return replace(spec_of(), **{**fields, **changes})


def _tensor(name: str, size: int) -> MobileTensor:
    return MobileTensor(name=name, dtype="float32", shape=(1, size), stored_name=name, stored_dtype="float32")


def make_project(folder: Path, *, golden: bytes = b"{}", **changes: Any) -> Path:
    """Write a project into `folder / "project"`; return it.

    Args:
        folder: Empty.
        golden: Its golden vectors.
        changes: To the facts of its model.
    """
    model = with_fixed_shapes((MODELS / "dynamic_batch.tflite").read_bytes())
    template = folder / "template"
    index = [
        'platform = "android"',
        "[content]",
        'model = "app/src/main/assets"',
        'golden = ["edge-core/src/test/resources/golden.json", "app/src/main/assets/golden.json"]',
        'spec = ["app/src/main/assets/model_spec.json"]',
        f'[[files]]\nsource = "{_CORE}/**"\nrender = false',
        f'[[files]]\nsource = "{_CORE}/{_SPEC}"\nkind = "generated"',
    ]
    for path, text in FILES.items():
        (template / path).parent.mkdir(parents=True, exist_ok=True)
        (template / path).write_text(text, "utf-8")
        index.append(f'[[files]]\nsource = "{path}"\nrender = false')
    core = data_folder("android_template") / _CORE
    for place in core.rglob("*"):
        if place.is_file():
            target = template / _CORE / place.relative_to(core)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(place.read_bytes())
    (template / "template.toml").write_text("\n".join(index) + "\n")
    facts = facts_of(model, **changes)
    rendered = render(
        load_template(template),
        facts,
        OPTIONS,
        Content(model={facts.model_file: model}, golden=golden, spec=spec_json(facts)),
        variables={},
        flags=frozenset(),
    )
    return create_project(folder / "project", rendered).folder
