package edge.runtime

import org.junit.Assert.assertEquals
import org.junit.Test

class BitmapPicturesTest {
    @Test
    fun onlyVeryLargePicturesAreThinnedOut() {
        assertEquals(1, BitmapPictures.sampleSize(4000, 4000))
        assertEquals(2, BitmapPictures.sampleSize(4001, 4000))
        assertEquals(4, BitmapPictures.sampleSize(12_000, 9_000))
        assertEquals(1, BitmapPictures.sampleSize(100_000, 1))
        // What cannot be read has no size.
        assertEquals(1, BitmapPictures.sampleSize(-1, -1))
        assertEquals(1 shl 20, BitmapPictures.sampleSize(Int.MAX_VALUE, Int.MAX_VALUE))
    }
}
