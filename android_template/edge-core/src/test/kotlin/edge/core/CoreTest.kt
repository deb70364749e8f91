package edge.core

import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertSame
import kotlin.test.assertTrue

/** What golden vectors do not reach: wrong input, arrays that are used again, text and time. */
class CoreTest {
    @Test
    fun everyOrientationTurnsThePictureUpright() {
        // 1 2 3
        // 4 5 6
        val picture = Picture(3, 2, 1, byteArrayOf(1, 2, 3, 4, 5, 6))
        val expected =
            mapOf(
                1 to "123456", 2 to "321654", 3 to "654321", 4 to "456123",
                5 to "142536", 6 to "415263", 7 to "635241", 8 to "362514", 9 to "123456", 0 to "123456",
            )
        for ((orientation, pixels) in expected) {
            val turned = picture.upright(orientation)
            assertEquals(pixels, turned.pixels.joinToString(""), "orientation $orientation")
            assertEquals(if (orientation in 5..8) 2 else 3, turned.width)
        }
        assertEquals("415263", picture.rotated(90).pixels.joinToString(""))
        assertEquals("654321", picture.rotated(-180).pixels.joinToString(""))
        assertEquals("362514", picture.rotated(270).pixels.joinToString(""))
        assertSame(picture, picture.rotated(360))
    }

    @Test
    fun packedPixelsLoseTheirAlpha() {
        val argb = intArrayOf(0x00FF8001, -1)
        val rgb = ByteArray(9)
        Picture.unpack(argb, rgb, 3)
        assertContentEquals(byteArrayOf(0, 0, 0, -1, -128, 1, -1, -1, -1), rgb)
        val picture = Picture(3, 1, 3, rgb)
        assertContentEquals(intArrayOf(0xFF shl 24, 0xFFFF8001.toInt(), -1), picture.argb())
        assertContentEquals(intArrayOf(-1), Picture(1, 1, 1, byteArrayOf(-1)).argb())
        assertFailsWith<ModelError> { Picture(2, 2, 3, ByteArray(11)) }
    }

    @Test
    fun aLargePictureIsThinnedOutToShowIt() {
        val picture = Picture(5, 3, 1, ByteArray(15) { it.toByte() })
        assertSame(picture, picture.thinned(1))
        val thin = picture.thinned(2)
        assertEquals(3 to 2, thin.width to thin.height)
        assertContentEquals(byteArrayOf(0, 2, 4, 10, 12, 14), thin.pixels)
    }

    @Test
    fun boxesWithoutAnyNumberOfThemAreRefused() {
        val spec = DetectionSpec(boxes = "b", scores = "s", count = "n")
        val outputs =
            mapOf(
                "b" to Tensor.Floats(FloatArray(4), listOf(1, 4)),
                "s" to Tensor.Floats(FloatArray(1), listOf(1)),
                "n" to Tensor.Floats(FloatArray(0), listOf(0)),
            )
        assertFailsWith<ModelError> { Boxes.detect(outputs, spec, emptyList()) }
    }

    @Test
    fun aPreprocessorKeepsNothingOfTheLastPicture() {
        val spec = ImageSpec(height = 5, width = 4, fit = ImageSpec.Fit.PAD, padValue = 7f, color = ImageSpec.Color.BGR)
        val kept = Preprocessor(spec)
        val out = FloatArray(spec.size)
        for ((width, height) in listOf(9 to 3, 3 to 9, 9 to 3, 4 to 5)) {
            val channels = if (width == 4) 1 else 3
            val picture = Picture(width, height, channels, ByteArray(width * height * channels) { (it * 31).toByte() })
            kept.image(picture, out)
            assertContentEquals(Preprocess.image(picture, spec), out)
        }
        assertFailsWith<ModelError> { kept.image(Picture(1, 1, 3, ByteArray(3)), FloatArray(1)) }
    }

    @Test
    fun aPictureOfTheWrongSizeIsRefusedWhereNothingMayResize() {
        val spec = ImageSpec(height = 2, width = 2, resize = ImageSpec.ResizeMethod.NONE)
        val error = assertFailsWith<ModelError> { Preprocess.image(Picture(3, 2, 3, ByteArray(18)), spec) }
        assertEquals("the picture is 3 x 2, the model takes 2 x 2", error.reason)
    }

    @Test
    fun integersThatAreNotConvertedAreNotCopied() {
        val spec = TensorSpec("x", ElementType.INT32, listOf(2))
        val tensor = Tensor.Ints(intArrayOf(1, 2), listOf(2))
        assertSame<Tensor>(tensor, Quantizer.toStored(tensor, spec, tensor))
        assertSame<Tensor>(tensor, Quantizer.fromStored(tensor, spec, tensor))
        val odd = TensorSpec("x", ElementType.INT32, listOf(2), storedType = ElementType.INT8)
        assertFailsWith<ModelError> { Quantizer.toStored(tensor, odd, tensor) }
    }

    @Test
    fun nanCannotBeQuantized() {
        val stored = ByteArray(2)
        assertFailsWith<ModelError> { Quantizer.quantize(floatArrayOf(1f, Float.NaN), stored, Quantization(1f, 0)) }
        assertFailsWith<ModelError> { Quantizer.quantize(floatArrayOf(1f), stored, Quantization(1f, 0)) }
    }

    @Test
    fun inputsAreCheckedBeforeAnythingNativeSeesThem() {
        val specs = listOf(TensorSpec("x", ElementType.FLOAT32, listOf(1, 2)), TensorSpec("n", ElementType.INT64, emptyList()))
        val x = Tensor.Floats(FloatArray(2), listOf(1, 2))
        val n = Tensor.zeros(ElementType.INT64, emptyList())
        Tensor.check(mapOf("x" to x, "n" to n), specs)
        assertFailsWith<ModelError> { Tensor.check(mapOf("x" to x), specs) }
        assertFailsWith<ModelError> { Tensor.check(mapOf("x" to x, "n" to n, "y" to n), specs) }
        assertFailsWith<ModelError> { Tensor.check(mapOf("x" to n, "n" to n), specs) }
        assertFailsWith<ModelError> { Tensor.check(mapOf("x" to Tensor.Floats(FloatArray(3), listOf(1, 3)), "n" to n), specs) }
        assertFailsWith<ModelError> { Tensor.check(mapOf("x" to Tensor.Floats(FloatArray(2), listOf(2, 1)), "n" to n), specs) }
    }

    @Test
    fun outputsBecomeWhatTheyMean() {
        val facts =
            ModelFacts(
                name = "m", version = "1", variant = "v", modelFile = "m.tflite", modelSha256 = "", modelSize = 0,
                signature = "", inputs = emptyList(), labels = listOf("no", "yes"),
                outputs =
                    listOf(
                        TensorSpec(
                            "scores", ElementType.FLOAT32, listOf(1, 3),
                            postprocess = PostprocessSpec(Activation.SOFTMAX, topK = 2),
                        ),
                        TensorSpec("mask", ElementType.FLOAT32, listOf(1, 2), postprocess = PostprocessSpec(Activation.SIGMOID)),
                        TensorSpec("raw", ElementType.INT32, listOf(1)),
                    ),
            )
        val raw = Tensor.Ints(intArrayOf(5), listOf(1))
        val meaning =
            Postprocess.outputs(
                mapOf(
                    "scores" to Tensor.Floats(floatArrayOf(0f, 1f, 1f), listOf(1, 3)),
                    "mask" to Tensor.Floats(floatArrayOf(0f, 100f), listOf(1, 2)),
                    "raw" to raw,
                ),
                facts,
            )
        assertEquals(listOf(1 to "yes", 2 to null), meaning.classes["scores"]?.map { it.index to it.label })
        assertContentEquals(floatArrayOf(0.5f, 1f), meaning.tensors["mask"]?.floats())
        assertSame<Tensor?>(raw, meaning.tensors["raw"])
        assertEquals(null, meaning.detections)
        assertFailsWith<ModelError> { Postprocess.outputs(mapOf("other" to raw), facts) }
        val rows = mapOf("scores" to Tensor.Floats(FloatArray(6), listOf(2, 3)))
        assertFailsWith<ModelError> { Postprocess.outputs(rows, facts) }
    }

    @Test
    fun percentilesAreOfTheLastCalls() {
        val latency = LatencyStatistics(capacity = 4)
        assertTrue(latency.percentile(50.0).isNaN())
        for (milliseconds in listOf(900L, 4, 1, 3, 2)) latency.add(milliseconds * 1_000_000)
        assertEquals(4, latency.count)
        assertEquals(2.0, latency.percentile(50.0))
        assertEquals(4.0, latency.percentile(90.0))
        assertEquals(1.0, latency.percentile(0.1))
        latency.clear()
        assertEquals(0, latency.count)
    }

    @Test
    fun jsonIsReadStrictly() {
        assertEquals(
            mapOf("a" to listOf(1.0, -2.5e3, true, null, "\u00e9\n\ud83d\ude00/"), "b" to emptyMap<String, Any?>()),
            Json.read(""" {"a": [1, -2.5E3, true, null, "\u00e9\n\uD83D\ude00\/"], "b": {}} """),
        )
        val wrong =
            listOf(
                "", "{", "[1,]", "{\"a\":1,}", "01", "+1", "1.", ".5", "1e", "-", "tru", "nul", "[1 2]", "\"a", "\"\\x\"",
                "\"\\u12g4\"", "\"\\u+123\"", "\"\n\"", "{\"a\":1,\"a\":null}", "{\"a\":null,\"a\":1}", "{1:2}", "1 2", "NaN",
                "[".repeat(100) + "]".repeat(100),
            )
        for (text in wrong) assertFailsWith<ModelError>(text) { Json.read(text) }
    }

    @Test
    fun damagedGoldenVectorsAreRefused() {
        val head = """{"format": "edge-golden", "format_version": "1.0", "tolerance": {"atol": 0, "rtol": 0}, "model": """
        for (data in listOf("AAAA", "AAAAAAA=", "%%%%")) {
            val tensor = """{"dtype": "float32", "shape": [2], "stride": 1, "data": "$data"}"""
            val text = """$head [{"inputs": {"x": $tensor}, "outputs": {}}], "steps": []}"""
            assertFailsWith<ModelError>(data) { GoldenVectors.read(text) }
        }
        assertFailsWith<ModelError> { GoldenVectors.read("""{"format": "edge-golden", "format_version": "2.0"}""") }
        val unknown = GoldenVectors.read("""$head [], "steps": [{"step": "new"}]}""")
        assertEquals(listOf("step 0, new: unknown kind"), GoldenCheck.steps(unknown, null))
    }
}
