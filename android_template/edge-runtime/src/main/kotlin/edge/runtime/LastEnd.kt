package edge.runtime

import android.app.ActivityManager
import android.app.ActivityManager.RunningAppProcessInfo
import android.app.Application
import android.app.ApplicationExitInfo
import android.content.Context
import android.os.Build

/** How this process ended the last time, which the system tells from Android 11 on. */
internal object LastEnd {
    /** Whether the app ended while nobody saw it, by hand or for an update; false where the system does not tell. */
    fun wasLeft(context: Context): Boolean {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.R) return false
        val manager = context.getSystemService(ActivityManager::class.java) ?: return false
        val ends = manager.getHistoricalProcessExitReasons(null, 0, MOST_PROCESSES)
        val last = ends.firstOrNull { it.processName == Application.getProcessName() } ?: return false
        return wasLeft(last.reason, last.importance)
    }

    /** A crash is one, seen or not; the system ends what is not seen as it likes. */
    fun wasLeft(reason: Int, importance: Int): Boolean =
        when (reason) {
            ApplicationExitInfo.REASON_CRASH,
            ApplicationExitInfo.REASON_CRASH_NATIVE,
            ApplicationExitInfo.REASON_ANR,
            -> false
            ApplicationExitInfo.REASON_USER_REQUESTED,
            ApplicationExitInfo.REASON_USER_STOPPED,
            ApplicationExitInfo.REASON_DEPENDENCY_DIED,
            ApplicationExitInfo.REASON_PERMISSION_CHANGE,
            ApplicationExitInfo.REASON_PACKAGE_STATE_CHANGE,
            ApplicationExitInfo.REASON_PACKAGE_UPDATED,
            -> true
            else -> importance > RunningAppProcessInfo.IMPORTANCE_VISIBLE
        }

    private const val MOST_PROCESSES = 16
}
