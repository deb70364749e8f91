package edge.runtime

import android.content.res.AssetManager
import java.io.FileInputStream
import java.nio.MappedByteBuffer
import java.nio.channels.FileChannel

/** Maps a model into memory: the part of the APK that is the asset, or a file. */
internal fun loadModelFile(assets: AssetManager, source: ModelSource): MappedByteBuffer =
    when (source) {
        is ModelSource.Asset ->
            assets.openFd(source.name).use { entry ->
                FileInputStream(entry.fileDescriptor).use { stream ->
                    stream.channel.map(FileChannel.MapMode.READ_ONLY, entry.startOffset, entry.declaredLength)
                }
            }
        is ModelSource.Stored ->
            FileInputStream(source.file).use { stream ->
                stream.channel.map(FileChannel.MapMode.READ_ONLY, 0, source.file.length())
            }
    }
