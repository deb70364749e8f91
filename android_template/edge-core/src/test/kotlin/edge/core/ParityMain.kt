package edge.core

import java.io.File
import kotlin.system.exitProcess

/** Runs the steps of golden files whose cases bring their own specs: `edge.core.ParityMainKt FILE...` */
fun main(files: Array<String>) {
    var failures = 0
    for (file in files) {
        val vectors = GoldenVectors.read(File(file).readText())
        val found = GoldenCheck.steps(vectors, emptyList(), emptyList(), null)
        found.forEach { println("$file: $it") }
        failures += found.size
        println("$file: ${vectors.steps.size} steps, ${found.size} failures")
    }
    if (files.isEmpty()) println("no file was named")
    exitProcess(if (failures == 0 && files.isNotEmpty()) 0 else 1)
}
