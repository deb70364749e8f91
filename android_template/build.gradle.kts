// Named here with their versions, applied by the modules. AGP 9 compiles Kotlin by itself: org.jetbrains.kotlin.android
// must not be applied. kotlin-jvm also decides with which Kotlin, as it is newer than the one that AGP brings.
plugins {
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.android.library) apply false
    alias(libs.plugins.kotlin.compose) apply false
    alias(libs.plugins.kotlin.jvm) apply false
}
