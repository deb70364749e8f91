// Stub of androidx.annotation:annotation 1.10.0
package androidx.annotation

import kotlin.annotation.AnnotationTarget.ANNOTATION_CLASS
import kotlin.annotation.AnnotationTarget.CLASS
import kotlin.annotation.AnnotationTarget.CONSTRUCTOR
import kotlin.annotation.AnnotationTarget.FIELD
import kotlin.annotation.AnnotationTarget.FILE
import kotlin.annotation.AnnotationTarget.FUNCTION
import kotlin.annotation.AnnotationTarget.LOCAL_VARIABLE
import kotlin.annotation.AnnotationTarget.PROPERTY_GETTER
import kotlin.annotation.AnnotationTarget.PROPERTY_SETTER
import kotlin.annotation.AnnotationTarget.VALUE_PARAMETER
import kotlin.reflect.KClass

@MustBeDocumented
@Retention(AnnotationRetention.BINARY)
@Target(ANNOTATION_CLASS, CLASS, FUNCTION, PROPERTY_GETTER, PROPERTY_SETTER, CONSTRUCTOR, FIELD, FILE)
annotation class RequiresApi(val value: Int = 1, val api: Int = 1)

@MustBeDocumented
@Retention(AnnotationRetention.BINARY)
@Target(FUNCTION, PROPERTY_GETTER, PROPERTY_SETTER, CONSTRUCTOR, ANNOTATION_CLASS, CLASS, VALUE_PARAMETER)
annotation class MainThread

@MustBeDocumented
@Retention(AnnotationRetention.BINARY)
@Target(FUNCTION, PROPERTY_GETTER, PROPERTY_SETTER, CONSTRUCTOR, ANNOTATION_CLASS, CLASS, VALUE_PARAMETER)
annotation class WorkerThread

@MustBeDocumented
@Retention(AnnotationRetention.BINARY)
@Target(FUNCTION, PROPERTY_GETTER, PROPERTY_SETTER, CONSTRUCTOR, ANNOTATION_CLASS, CLASS, VALUE_PARAMETER)
annotation class UiThread

@MustBeDocumented
@Retention(AnnotationRetention.BINARY)
@Target(FUNCTION, PROPERTY_GETTER, PROPERTY_SETTER, VALUE_PARAMETER, FIELD, LOCAL_VARIABLE)
annotation class StringRes

@MustBeDocumented
@Retention(AnnotationRetention.BINARY)
@Target(FUNCTION, PROPERTY_GETTER, PROPERTY_SETTER, VALUE_PARAMETER, FIELD, LOCAL_VARIABLE)
annotation class DrawableRes

@MustBeDocumented
@Retention(AnnotationRetention.BINARY)
annotation class VisibleForTesting(val otherwise: Int = 2)

@MustBeDocumented
@Retention(AnnotationRetention.BINARY)
@Target(CLASS, FUNCTION, PROPERTY_GETTER, PROPERTY_SETTER, FIELD, CONSTRUCTOR, FILE)
annotation class Keep

@Retention(AnnotationRetention.BINARY)
@Target(
    CLASS, FUNCTION, PROPERTY_GETTER, PROPERTY_SETTER, FIELD, CONSTRUCTOR, FILE, LOCAL_VARIABLE, VALUE_PARAMETER,
    AnnotationTarget.PROPERTY, AnnotationTarget.TYPEALIAS,
)
annotation class OptIn(vararg val markerClass: KClass<out Annotation>)
