package edge.core

import edge.core.generated.ModelSpec
import java.io.File
import kotlin.system.exitProcess

/** Runs the steps of golden files, this project's or ones that bring their own specs: `edge.core.ParityMainKt FILE...` */
fun main(files: Array<String>) {
    var failures = 0
    for (file in files) {
        val vectors = GoldenVectors.read(File(file).readText())
        val results = GoldenCheck.examine(vectors, ModelSpec)
        for (result in results) {
            if (result.problem != null) println("$file: step ${result.index}, ${result.kind}: ${result.problem}")
        }
        for ((kind, steps) in results.groupBy { it.kind }) {
            println("$file: $kind: ${steps.size} steps, largest difference ${steps.maxOf { it.difference }}")
        }
        val found = results.count { it.problem != null }
        println("$file: ${results.size} steps, $found failures")
        failures += found
    }
    if (files.isEmpty()) println("no file was named")
    exitProcess(if (failures == 0 && files.isNotEmpty()) 0 else 1)
}
