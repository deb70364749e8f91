// Parses Kotlin files and Gradle scripts with the compiler's own parser, for `edge scaffold verify`.
//
// Reads a path a line on stdin; writes each error as FILE:LINE:COLUMN: error: MESSAGE. Exit code 1 where there is one.

@file:Suppress("DEPRECATION", "OPT_IN_USAGE", "OPT_IN_USAGE_ERROR")

package edge.verify

import com.intellij.openapi.util.Disposer
import com.intellij.psi.PsiElement
import com.intellij.psi.PsiErrorElement
import java.io.File
import kotlin.system.exitProcess
import org.jetbrains.kotlin.cli.common.messages.MessageCollector
import org.jetbrains.kotlin.cli.extensionsStorage
import org.jetbrains.kotlin.cli.jvm.compiler.EnvironmentConfigFiles
import org.jetbrains.kotlin.cli.jvm.compiler.KotlinCoreEnvironment
import org.jetbrains.kotlin.compiler.plugin.CompilerPluginRegistrar
import org.jetbrains.kotlin.config.CommonConfigurationKeys
import org.jetbrains.kotlin.config.CompilerConfiguration
import org.jetbrains.kotlin.psi.KtPsiFactory

fun main() {
    val configuration = CompilerConfiguration()
    configuration.put(CommonConfigurationKeys.MESSAGE_COLLECTOR_KEY, MessageCollector.NONE)
    configuration.extensionsStorage = CompilerPluginRegistrar.ExtensionStorage()
    val environment =
        KotlinCoreEnvironment.createForProduction(
            Disposer.newDisposable("parse"),
            configuration,
            EnvironmentConfigFiles.JVM_CONFIG_FILES,
        )
    val factory = KtPsiFactory(environment.project, markGenerated = false)
    var failed = false
    for (path in generateSequence(::readLine)) {
        val text = File(path).readText().replace("\r\n", "\n")
        for (error in errors(factory.createFile(File(path).name, text))) {
            val before = text.substring(0, error.textRange.startOffset)
            val line = before.count { it == '\n' } + 1
            val column = before.length - before.lastIndexOf('\n')
            println("$path:$line:$column: error: ${error.errorDescription}")
            failed = true
        }
    }
    exitProcess(if (failed) 1 else 0)
}

private fun errors(element: PsiElement): List<PsiErrorElement> =
    if (element is PsiErrorElement) {
        listOf(element)
    } else {
        generateSequence(element.firstChild) { it.nextSibling }.flatMap(::errors).toList()
    }
