import org.jetbrains.kotlin.gradle.dsl.JvmTarget

// Everything around the model, in plain Kotlin: no Android here, so its tests run on any computer in seconds.
plugins {
    alias(libs.plugins.kotlin.jvm)
}

java {
    sourceCompatibility = JavaVersion.VERSION_17
    targetCompatibility = JavaVersion.VERSION_17
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_17
        allWarningsAsErrors = providers.environmentVariable("CI").isPresent
    }
}

dependencies {
    testImplementation(kotlin("test"))
}

tasks.test {
    useJUnit()
}
