// Stub of QuartzCore, iOS 26 SDK (Xcode 26)
@_exported import CoreGraphics

public func CACurrentMediaTime() -> CFTimeInterval { fatalError() }

open class CALayer: NSObject {
    public override init() { fatalError() }

    open var frame: CGRect {
        get { fatalError() }
        set { fatalError() }
    }
    open var bounds: CGRect {
        get { fatalError() }
        set { fatalError() }
    }
    open var isHidden: Bool {
        get { fatalError() }
        set { fatalError() }
    }

    open func addSublayer(_ layer: CALayer) { fatalError() }
    open func removeFromSuperlayer() { fatalError() }
}
