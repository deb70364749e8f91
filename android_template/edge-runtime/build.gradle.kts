// Runs the model on Android: the runtime with its ladder of accelerators, the model's file, pictures of bitmaps.
plugins {
    alias(libs.plugins.android.library)
}

android {
    namespace = "edge.runtime"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        minSdk = libs.versions.minSdk.get().toInt()
        consumerProguardFiles("consumer-rules.pro")
        // What the app shows as its runtime, and what its self-tests on the device hold for.
        manifestPlaceholders["runtimeVersion"] = libs.versions.runtime.get()
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

dependencies {
    api(project(":edge-core"))
    implementation(libs.kotlinx.coroutines.android)
[% if options.runtime == "play" %]
    implementation(libs.kotlinx.coroutines.play.services)
    implementation(libs.play.services.litert)
[% else %]
    implementation(libs.litert)
    implementation(libs.litert.gpu)
[% endif %]
[% if options.runtime == "litert1" %]
    implementation(libs.litert.gpu.api)
[% endif %]
[% if "flex" in flags %]
    // TensorFlow's operators, about 30 MB; the interpreter finds them by itself. LiteRT is there already.
    implementation(libs.select.tf.ops) {
        exclude(group = "org.tensorflow", module = "tensorflow-lite")
        exclude(group = "org.tensorflow", module = "tensorflow-lite-api")
    }
[% endif %]
    testImplementation(libs.junit)
}
