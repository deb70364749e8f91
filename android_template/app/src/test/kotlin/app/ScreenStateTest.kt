package [[ options.application_id ]]

[% if "camera" in flags %]
import edge.core.Box
import edge.core.Detection
import edge.core.ImageSpec
[% endif %]
import edge.core.LatencyStatistics
import edge.core.Meaning
import edge.core.ScoredClass
import edge.core.Tensor
import java.util.Locale
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Test

class ScreenStateTest {
    private val before = Locale.getDefault()

    @Before
    fun speakEnglish() = Locale.setDefault(Locale.ENGLISH)

    @After
    fun speakAsBefore() = Locale.setDefault(before)

    @Test
    fun scoresBetweenZeroAndOneArePercentages() {
        assertEquals("cat  97.5 %", title("cat", 3, 0.975))
        assertEquals("#3  12.300", title(null, 3, 12.3))
        assertEquals("cat  NaN", title("cat", 3, Double.NaN))
    }

    @Test
    fun linesNameClassesAndBeginTensors() {
        val meaning =
            Meaning(
                tensors = mapOf("y" to Tensor.Ints(IntArray(9) { it }, listOf(3, 3))),
                classes = mapOf("scores" to listOf(ScoredClass(0, "cat", 0.5f), ScoredClass(1, "dog", 0.25f))),
                detections = null,
            )
        assertEquals(listOf("cat  50.0 %", "dog  25.0 %"), lines(meaning).take(2))
        assertEquals(true, lines(meaning)[2].startsWith("y int32[3, 3]: 0"))
        assertEquals(true, lines(meaning)[2].endsWith(", ..."))
    }

    @Test
    fun latenciesAreMilliseconds() {
        val statistics = LatencyStatistics()
        for (milliseconds in 1..10) statistics.add(milliseconds * 1_000_000L)
        assertEquals(Latency(10, 5.0, 9.0), Latency(statistics))
    }
[% if "camera" in flags %]

    @Test
    fun boxesStayInThePictureAndAreMirroredWithIt() {
        val spec = ImageSpec(height = 10, width = 10)
        val found = Detection(Box(-0.5, 0.25, 0.5, 0.5), 0, "face", 0.9, emptyList())
        assertEquals(LabelledBox(0.25f, 0f, 0.5f, 0.5f, "face  90.0 %"), LabelledBox.of(found, 100, 200, spec, false))
        assertEquals(LabelledBox(0.5f, 0f, 0.75f, 0.5f, "face  90.0 %"), LabelledBox.of(found, 100, 200, spec, true))
    }
[% endif %]
}
