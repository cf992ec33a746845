"""Cameras over a sorting line: fruit found, followed, judged, and told to the reject gate before it gets there.

    camera/      camera process     the newest picture of an RTSP, MJPEG, USB, folder or video source; notices when it
         |                          freezes, tears, turns black, goes away
         v
    inspector/   inspector process  finds fruit in each picture, follows it along the belt, classifies each view, using
         |                          models/: the packages, checked before they are believed; shadow, drift
         v
    line/        in the agent       photo-eye, encoder, gate: which fruit passes when, its verdict, the coil in time;
                                    lots; what the gateway is told

`messages` is what the three tell each other, `views` how fruit is cut out (in training too), `clarity` if it is seen
well enough, `verdict` when it is good, `choice` which models a line runs. Pictures go to the gateway through
`edge.evidence`. `stills` is `truecount inspect`.
"""
