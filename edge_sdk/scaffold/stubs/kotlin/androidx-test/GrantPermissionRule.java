// Stub of androidx.test:rules 1.7.0
package androidx.test.rule;

import org.junit.rules.TestRule;
import org.junit.runner.Description;
import org.junit.runners.model.Statement;

public class GrantPermissionRule implements TestRule {
    private GrantPermissionRule() {}

    public static native GrantPermissionRule grant(String... permissions);

    @Override
    public final native Statement apply(Statement base, Description description);
}
