package edge.runtime

import android.content.Context
import android.content.pm.PackageManager

/** The runtime with its version, as the build wrote it into the manifest. */
internal fun runtimeName(context: Context): String {
    val packages = context.packageManager
    val info = packages.getApplicationInfo(context.packageName, PackageManager.GET_META_DATA)
    val name = info.metaData?.getString("edge.runtime") ?: "unknown"
[% if options.runtime == "play" %]
    // What runs is in Play services, and is renewed without the app.
    val services =
        try {
            packages.getPackageInfo("com.google.android.gms", 0).versionName
        } catch (_: PackageManager.NameNotFoundException) {
            "not there"
        }
    return "$name, Play services $services"
[% else %]
    return name
[% endif %]
}
