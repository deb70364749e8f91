// Stub of androidx.annotation:annotation 1.10.0
package androidx.annotation;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

@Retention(RetentionPolicy.CLASS)
@Target({
    ElementType.METHOD, ElementType.PARAMETER, ElementType.FIELD, ElementType.LOCAL_VARIABLE,
    ElementType.ANNOTATION_TYPE, ElementType.PACKAGE
})
public @interface NonNull {}
