// Stub of androidx.camera:camera-core 1.6.2
package androidx.camera.core;

import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

@NullMarked
public final class UseCaseGroup {
    private UseCaseGroup() {}

    public native List<UseCase> getUseCases();

    public native @Nullable ViewPort getViewPort();

    public static final class Builder {
        public Builder() {}

        public native Builder addUseCase(UseCase useCase);

        public native Builder setViewPort(ViewPort viewPort);

        public native UseCaseGroup build();
    }
}
