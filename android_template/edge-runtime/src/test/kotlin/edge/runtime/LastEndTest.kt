package edge.runtime

import android.app.ActivityManager.RunningAppProcessInfo
import android.app.ApplicationExitInfo
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

class LastEndTest {
    private val seen = RunningAppProcessInfo.IMPORTANCE_FOREGROUND
    private val unseen = RunningAppProcessInfo.IMPORTANCE_CACHED

    @Test
    fun whatTheSystemOrThePersonEndedWasLeft() {
        assertTrue(LastEnd.wasLeft(ApplicationExitInfo.REASON_LOW_MEMORY, unseen))
        assertTrue(LastEnd.wasLeft(ApplicationExitInfo.REASON_SIGNALED, unseen))
        assertTrue(LastEnd.wasLeft(ApplicationExitInfo.REASON_USER_REQUESTED, seen))
        // What a developer does all day.
        assertTrue(LastEnd.wasLeft(ApplicationExitInfo.REASON_PACKAGE_UPDATED, seen))
    }

    @Test
    fun whatEndedBeforeTheEyesOrCrashedWasNot() {
        assertFalse(LastEnd.wasLeft(ApplicationExitInfo.REASON_SIGNALED, seen))
        assertFalse(LastEnd.wasLeft(ApplicationExitInfo.REASON_LOW_MEMORY, RunningAppProcessInfo.IMPORTANCE_VISIBLE))
        for (reason in listOf(ApplicationExitInfo.REASON_CRASH, ApplicationExitInfo.REASON_CRASH_NATIVE, ApplicationExitInfo.REASON_ANR)) {
            assertFalse(LastEnd.wasLeft(reason, unseen))
        }
    }
}
