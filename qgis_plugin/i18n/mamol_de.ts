<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
  <context>
    <name>MaMOL</name>
    <message>
      <location filename="../algorithms/base.py" />
      <source>Compute on</source>
      <translation>Rechnen auf</translation>
    </message>
    <message>
      <location filename="../algorithms/base.py" />
      <source>auto takes a graphics card where the engine finds one, else the processor (cpu).</source>
      <translation>auto nimmt eine Grafikkarte, wo die Engine eine findet, sonst den Prozessor (cpu).</translation>
    </message>
    <message>
      <location filename="../algorithms/base.py" />
      <source>Number format</source>
      <translation>Zahlenformat</translation>
    </message>
    <message>
      <location filename="../algorithms/base.py" />
      <source>auto takes the fastest that the device computes well; float32 is the most exact.</source>
      <translation>auto nimmt das schnellste Format, mit dem das Gerät gut rechnet; float32 ist am genauesten.</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Check the engine</source>
      <translation>Engine prüfen</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Tells whether the engine works and what it computes on, as text for a bug report</source>
      <translation>Sagt, ob die Engine funktioniert und worauf sie rechnet, als Text für einen Fehlerbericht</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Starts the engine, asks for its versions, the device it really computes on, memory and free disk space, and tests in a few seconds that it can read and write rasters and train a network.

Paste the text into your report when something does not work. It says nothing about your data; your home folder is written as ~.</source>
      <translation>Startet die Engine, fragt nach Versionen, dem Gerät, auf dem sie wirklich rechnet, Arbeitsspeicher und freiem Plattenplatz, und prüft in wenigen Sekunden, ob sie Raster lesen und schreiben und ein Netz trainieren kann.

Fügen Sie den Text in Ihren Bericht ein, wenn etwas nicht funktioniert. Er sagt nichts über Ihre Daten; Ihr Benutzerordner erscheint als ~.</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>engine,diagnose,test,gpu,cuda,version,bug report</source>
      <translation>Engine,Diagnose,Test,GPU,CUDA,Version,Fehlerbericht</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Report</source>
      <translation>Bericht</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Text files (*.txt)</source>
      <translation>Textdateien (*.txt)</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>The text as a file.</source>
      <translation>Der Text als Datei.</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Text of the report</source>
      <translation>Text des Berichts</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Evaluate a land-cover map</source>
      <translation>Landbedeckungskarte bewerten</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Compares a land-cover map with reference labels</source>
      <translation>Vergleicht eine Landbedeckungskarte mit Referenzdaten</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>accuracy,assessment,validation,confusion matrix,kappa,reference</source>
      <translation>Genauigkeit,Bewertung,Validierung,Konfusionsmatrix,Kappa,Referenz</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Compares a land-cover map with places where the class is known: overall accuracy, mean accuracy of the classes, kappa, accuracy of each class, and the confusion matrix; with the raster of sensors used also for each combination of sensors.

Classes are matched by name where map and reference have names, else by value.

With points of the algorithm that draws them, or another random sample whose design you name, accuracies and class areas hold for the whole map and come with 95 % intervals (Olofsson et al. 2014, Stehman 2014). Without a design the figures describe the reference pixels only.</source>
      <translation>Vergleicht eine Landbedeckungskarte mit Orten, an denen die Klasse bekannt ist: Gesamtgenauigkeit, mittlere Genauigkeit der Klassen, Kappa, Genauigkeit jeder Klasse und die Konfusionsmatrix; mit dem Raster der benutzten Sensoren auch für jede Kombination von Sensoren.

Klassen werden über ihre Namen zugeordnet, wo Karte und Referenz Namen haben, sonst über ihre Werte.

Mit Punkten des Algorithmus, der sie zieht, oder einer anderen Zufallsstichprobe, deren Plan Sie nennen, gelten Genauigkeiten und Klassenflächen für die ganze Karte und kommen mit 95-%-Intervallen (Olofsson et al. 2014, Stehman 2014). Ohne Plan beschreiben die Zahlen nur die Referenzpixel.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Land-cover map</source>
      <translation>Landbedeckungskarte</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>One band of class values, 0 where there is no class.</source>
      <translation>Ein Kanal mit Klassenwerten, 0 wo keine Klasse ist.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Reference</source>
      <translation>Referenz</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Polygons or points with a class field, or a raster of class values. Any CRS.</source>
      <translation>Polygone oder Punkte mit einem Klassenfeld, oder ein Raster von Klassenwerten. KBS beliebig.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Sensors used</source>
      <translation>Verwendete Sensoren</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>The raster that was written beside the map: gives the accuracy of each combination of sensors.</source>
      <translation>Das Raster, das neben der Karte geschrieben wurde: gibt die Genauigkeit jeder Kombination von Sensoren.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Sampling design of the reference</source>
      <translation>Stichprobenplan der Referenz</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>auto: as sample points know it themselves; other references are counted as they come. random: a simple random sample of the map. stratified: a random sample of each stratum.</source>
      <translation>auto: wie die Stichprobenpunkte es selbst wissen; andere Referenzen werden gezählt, wie sie kommen. random: eine einfache Zufallsstichprobe der Karte. stratified: eine Zufallsstichprobe aus jedem Stratum.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Strata</source>
      <translation>Strata</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Of the design stratified, on the map's grid. Empty: the map's classes.</source>
      <translation>Zum Plan stratified, auf dem Gitter der Karte. Leer: die Klassen der Karte.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Map to compare with</source>
      <translation>Karte zum Vergleich</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Another map on the same grid: which of the two is more accurate? McNemar's test.</source>
      <translation>Eine andere Karte auf demselben Gitter: Welche der beiden ist genauer? McNemar-Test.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Folder for the figures</source>
      <translation>Ordner für die Zahlen</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Gets report.html, accuracy.json, accuracy.csv and confusion.csv.</source>
      <translation>Erhält report.html, accuracy.json, accuracy.csv und confusion.csv.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Figures (JSON)</source>
      <translation>Zahlen (JSON)</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Overall accuracy, a fraction</source>
      <translation>Gesamtgenauigkeit, als Anteil</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Standard error of the overall accuracy, where known</source>
      <translation>Standardfehler der Gesamtgenauigkeit, wo bekannt</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Mean accuracy of the classes, a fraction</source>
      <translation>Mittlere Genauigkeit der Klassen, als Anteil</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Kappa</source>
      <translation>Kappa</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Reference pixels compared</source>
      <translation>Verglichene Referenzpixel</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Overall accuracy</source>
      <translation>Gesamtgenauigkeit</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Mean accuracy of the classes</source>
      <translation>Mittlere Genauigkeit der Klassen</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Inspect model and layers</source>
      <translation>Modell und Layer ansehen</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Tells what a model needs, how accurate it is, and whether your layers would work with it</source>
      <translation>Sagt, was ein Modell braucht, wie genau es ist, und ob Ihre Layer dazu passen</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>inspect,check,dry run,model,accuracy,sensors,info</source>
      <translation>ansehen,prüfen,Probelauf,Modell,Genauigkeit,Sensoren,Information</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>A dry run: looks without mapping.

With a model: which sensors it knows, its classes, and how accurate it was in its own test with every combination of sensors. With layers: their size, CRS, bands and share of valid pixels. With both: whether they would work together, which combinations of sensors would occur, and what to expect of them.

Where something does not fit, the report says what, and the output WORKS is false.</source>
      <translation>Ein Probelauf: sieht nach, ohne zu kartieren.

Mit einem Modell: welche Sensoren es kennt, seine Klassen, und wie genau es im eigenen Test mit jeder Kombination von Sensoren war. Mit Layern: Größe, KBS, Kanäle und Anteil gültiger Pixel. Mit beidem: ob sie zusammenpassen, welche Kombinationen von Sensoren vorkämen und was davon zu erwarten ist.

Wo etwas nicht passt, sagt der Bericht, was, und die Ausgabe WORKS ist falsch.</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Model</source>
      <translation>Modell</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Model file (.safetensors). Empty: only the layers are looked at.</source>
      <translation>Modelldatei (.safetensors). Leer: nur die Layer werden angesehen.</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Names of the further layers, separated by commas, in the same order. Empty: their own names tell.</source>
      <translation>Namen der weiteren Layer, durch Kommas getrennt, in derselben Reihenfolge. Leer: ihre eigenen Namen zählen.</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>HTML files (*.html)</source>
      <translation>HTML-Dateien (*.html)</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Page with everything that was found.</source>
      <translation>Seite mit allem, was gefunden wurde.</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Model and layers work together</source>
      <translation>Modell und Layer passen zusammen</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>What does not fit</source>
      <translation>Was nicht passt</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Nothing to inspect: give a model, layers, or both.</source>
      <translation>Nichts anzusehen: Geben Sie ein Modell, Layer oder beides an.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>{path}: the name of this output must end in {endings}.</source>
      <translation>{path}: Der Name dieser Ausgabe muss auf {endings} enden.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source> or </source>
      <translation> oder </translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>{error}
All pixels are mapped, only the files are not written. Mend that (is the old map open somewhere?), tick "{keep}" and run again with the same inputs and outputs: it goes on from {work}.</source>
      <translation>{error}
Alle Pixel sind kartiert, nur die Dateien sind nicht geschrieben. Beheben Sie das (ist die alte Karte irgendwo geöffnet?), setzen Sie das Häkchen bei „{keep}“ und starten Sie noch einmal mit denselben Ein- und Ausgaben: Es geht dann von {work} aus weiter.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>The overlap may be at most {core} with this model.</source>
      <translation>Die Überlappung darf bei diesem Modell höchstens {core} sein.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Accuracy of the model in its own test, by the sensors a pixel has:</source>
      <translation>Genauigkeit des Modells im eigenen Test, nach den Sensoren eines Pixels:</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Land cover ({sensors})</source>
      <translation>Landbedeckung ({sensors})</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Confidence, percent ({sensors})</source>
      <translation>Konfidenz, Prozent ({sensors})</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Probabilities, percent ({sensors})</source>
      <translation>Wahrscheinlichkeiten, Prozent ({sensors})</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Sensors used ({sensors})</source>
      <translation>Verwendete Sensoren ({sensors})</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Land cover, model {model}</source>
      <translation>Landbedeckung, Modell {model}</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Map land cover</source>
      <translation>Landbedeckung kartieren</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Maps land cover with a trained model and whatever sensors cover each pixel</source>
      <translation>Kartiert die Landbedeckung mit einem trainierten Modell und den Sensoren, die das jeweilige Pixel abdecken</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>predict,classify,classification,land cover,inference,missing,sensors,deep learning</source>
      <translation>vorhersagen,klassifizieren,Klassifikation,Landbedeckung,Inferenz,fehlend,Sensoren,Deep Learning</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Makes a land-cover map with a trained model.

Give the layers you have: the model knows every combination of its sensors, and each pixel is mapped with the sensors that have data there. Where none has, the map has no data. Layers may differ in pixel size, extent and CRS.

The log begins with the combinations of sensors that occur and how accurate the model was with each. The map comes with class names and colours.</source>
      <translation>Erstellt eine Landbedeckungskarte mit einem trainierten Modell.

Geben Sie die Layer an, die Sie haben: Das Modell kennt jede Kombination seiner Sensoren, und jedes Pixel wird mit den Sensoren kartiert, die dort Daten haben. Wo keiner welche hat, bleibt die Karte leer. Pixelgröße, Ausdehnung und KBS der Layer dürfen verschieden sein.

Das Protokoll beginnt mit den Kombinationen von Sensoren, die vorkommen, und der Genauigkeit des Modells mit jeder. Die Karte bringt Namen und Farben der Klassen mit.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Model file (.safetensors), written by the algorithm that trains.</source>
      <translation>Modelldatei (.safetensors), vom Algorithmus für das Training geschrieben.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>The names that the model has for the further layers, separated by commas, in the same order. Empty: the layers' own names tell.</source>
      <translation>Die Namen, die das Modell für die weiteren Layer hat, durch Kommas getrennt, in derselben Reihenfolge. Leer: die Namen der Layer selbst zählen.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Extent</source>
      <translation>Ausdehnung</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Part to map. Empty: all of the reference layer.</source>
      <translation>Zu kartierender Teil. Leer: der ganze Referenzlayer.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Area of interest</source>
      <translation>Interessengebiet</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Polygons; pixels outside them get no data. Any CRS.</source>
      <translation>Polygone; Pixel außerhalb bleiben leer. KBS beliebig.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Reference sensor</source>
      <translation>Referenzsensor</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Name of the sensor (as in the model) whose pixels are mapped. Empty: the one whose pixels are nearest in size to those of the training.</source>
      <translation>Name des Sensors (wie im Modell), dessen Pixel kartiert werden. Leer: der, dessen Pixelgröße der des Trainings am nächsten kommt.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Overlap</source>
      <translation>Überlappung</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Averages N x N shifted windows: smoother borders for N x N times the work. 1 is fast.</source>
      <translation>Mittelt N x N verschobene Fenster: weichere Grenzen bei N x N-fachem Aufwand. 1 ist schnell.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Windows at once</source>
      <translation>Fenster auf einmal</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>How many windows are computed at once. Empty: by model and device; smaller needs less memory.</source>
      <translation>Wie viele Fenster auf einmal gerechnet werden. Leer: nach Modell und Gerät; weniger braucht weniger Speicher.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Weights of the backbone</source>
      <translation>Gewichte des Backbones</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>File of the pretrained backbone's weights, for models that do not hold them and where they cannot be downloaded.</source>
      <translation>Datei mit den Gewichten des vortrainierten Backbones, für Modelle, die sie nicht enthalten, und wo kein Herunterladen möglich ist.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Keep unfinished work, and go on with it</source>
      <translation>Unfertiges aufheben und damit weitermachen</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>If the run is cancelled or fails, what is done stays beside the map, and the next run with the same inputs and outputs goes on from there.</source>
      <translation>Wird der Lauf abgebrochen oder schlägt er fehl, bleibt das Fertige neben der Karte liegen, und der nächste Lauf mit denselben Ein- und Ausgaben macht dort weiter.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>GeoTIFF of class values, with names, colours and overviews. 0 is no data.</source>
      <translation>GeoTIFF der Klassenwerte, mit Namen, Farben und Übersichten. 0 bedeutet: keine Daten.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Confidence</source>
      <translation>Konfidenz</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>How sure the model is of the mapped class, in percent.</source>
      <translation>Wie sicher das Modell bei der kartierten Klasse ist, in Prozent.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Probabilities</source>
      <translation>Wahrscheinlichkeiten</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Probability of every class in percent, one band for each.</source>
      <translation>Wahrscheinlichkeit jeder Klasse in Prozent, ein Kanal für jede.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Which combination of sensors each pixel was mapped with.</source>
      <translation>Mit welcher Kombination von Sensoren jedes Pixel kartiert wurde.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Summary</source>
      <translation>Zusammenfassung</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Page with the area of each class, and the accuracy and share of each combination of sensors.</source>
      <translation>Seite mit der Fläche jeder Klasse und mit Genauigkeit und Anteil jeder Kombination von Sensoren.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Pixels mapped</source>
      <translation>Kartierte Pixel</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Seconds</source>
      <translation>Sekunden</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Pixels per second</source>
      <translation>Pixel pro Sekunde</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Hectares of each class (JSON)</source>
      <translation>Hektar jeder Klasse (JSON)</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Share of each combination of sensors (JSON)</source>
      <translation>Anteil jeder Kombination von Sensoren (JSON)</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Draw sample points for reference labels</source>
      <translation>Stichprobenpunkte für Referenzklassen ziehen</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Draws a stratified random sample of a land-cover map, to be labelled and evaluated</source>
      <translation>Zieht eine geschichtete Zufallsstichprobe einer Landbedeckungskarte, zum Bestimmen und Bewerten</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>sample,points,stratified,random,reference,validation,accuracy,area</source>
      <translation>Stichprobe,Punkte,geschichtet,zufällig,Referenz,Validierung,Genauigkeit,Fläche</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Draws a stratified random sample of a land-cover map, with the map's classes as strata.

The points have an empty field reference. Look at each place in images that are better than the map, and choose the class that is really there from the list that the form offers; what the map says is hidden. Points come in random order: who stops early still has a random sample.

Then evaluate the map with these points and the field reference. Accuracies and areas of the classes hold for the whole map, and come with 95 % intervals (Olofsson et al. 2014).</source>
      <translation>Zieht eine geschichtete Zufallsstichprobe einer Landbedeckungskarte, mit den Klassen der Karte als Strata.

Die Punkte haben ein leeres Feld reference. Sehen Sie sich jeden Ort in Bildern an, die besser sind als die Karte, und wählen Sie aus der Liste des Formulars die Klasse, die wirklich dort ist; was die Karte sagt, ist verborgen. Die Punkte kommen in zufälliger Reihenfolge: Wer früh aufhört, hat immer noch eine Zufallsstichprobe.

Bewerten Sie dann die Karte mit diesen Punkten und dem Feld reference. Genauigkeiten und Flächen der Klassen gelten für die ganze Karte und kommen mit 95-%-Intervallen (Olofsson et al. 2014).</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Number of points</source>
      <translation>Anzahl der Punkte</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Empty: as many as the standard error below needs.</source>
      <translation>Leer: so viele, wie der Standardfehler darunter braucht.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Standard error of the overall accuracy</source>
      <translation>Standardfehler der Gesamtgenauigkeit</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>A fraction; 0.015 means an interval of 3 percent to both sides. Not used where a number is given.</source>
      <translation>Ein Bruchteil; 0.015 heißt ein Intervall von 3 Prozent nach beiden Seiten. Nicht benutzt, wo eine Anzahl gegeben ist.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Share among classes</source>
      <translation>Aufteilung auf die Klassen</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>proportional to their size; equal, best for the accuracy of each class; neyman, best for the overall accuracy.</source>
      <translation>proportional zu ihrer Größe; equal (gleich), am besten für die Genauigkeit jeder Klasse; neyman, am besten für die Gesamtgenauigkeit.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Points per class at least</source>
      <translation>Punkte je Klasse mindestens</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>So that rare classes have enough for an interval.</source>
      <translation>Damit seltene Klassen genug für ein Intervall haben.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Expected user's accuracy</source>
      <translation>Erwartete Nutzergenauigkeit</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>A fraction; of single classes as NAME=FRACTION, separated by semicolons: 0.8; water=0.95.</source>
      <translation>Ein Bruchteil; für einzelne Klassen als NAME=BRUCHTEIL, durch Strichpunkte getrennt: 0.8; Wasser=0.95.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Seed</source>
      <translation>Startwert</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>The same seed draws the same points.</source>
      <translation>Derselbe Startwert zieht dieselben Punkte.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Sample points</source>
      <translation>Stichprobenpunkte</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>A GeoPackage.</source>
      <translation>Ein GeoPackage.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Give a number of points, or the standard error that they should reach.</source>
      <translation>Geben Sie eine Anzahl von Punkten an, oder den Standardfehler, den sie erreichen sollen.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Land cover</source>
      <translation>Landbedeckung</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>{path} holds {count} points that are labelled already. Choose another name.</source>
      <translation>{path} enthält {count} Punkte, die schon bestimmt sind. Wählen Sie einen anderen Namen.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Hyperspectral image</source>
      <translation>Hyperspektralbild</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Image cube with tens to hundreds of narrow bands.</source>
      <translation>Bildwürfel mit Dutzenden bis Hunderten schmaler Kanäle.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Elevation or LiDAR</source>
      <translation>Höhe oder LiDAR</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Surface or terrain model, canopy height, or other rasters made from LiDAR.</source>
      <translation>Oberflächen- oder Geländemodell, Kronenhöhe oder andere Raster aus LiDAR-Daten.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Radar (SAR)</source>
      <translation>Radar (SAR)</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Backscatter, in decibels or as intensity; one band for each polarisation.</source>
      <translation>Rückstreuung, in Dezibel oder als Intensität; ein Kanal für jede Polarisation.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Multispectral image</source>
      <translation>Multispektralbild</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>A few broad bands, such as Sentinel-2, Landsat or aerial.</source>
      <translation>Wenige breite Kanäle, etwa Sentinel-2, Landsat oder Luftbild.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Leave it empty where you have none. Pixel size, extent and CRS may differ from other layers. All bands of the file are read, whatever QGIS shows of them.</source>
      <translation>Leer lassen, wo Sie keines haben. Pixelgröße, Ausdehnung und KBS dürfen von denen anderer Layer abweichen. Alle Kanäle der Datei werden gelesen, was auch immer QGIS davon zeigt.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Further layers</source>
      <translation>Weitere Layer</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Rasters of any other kind, or a second one of a kind.</source>
      <translation>Raster anderer Art, oder ein zweites einer Art.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Names of the further layers</source>
      <translation>Namen der weiteren Layer</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>One of the further layers cannot be opened.</source>
      <translation>Einer der weiteren Layer lässt sich nicht öffnen.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Set up the engine</source>
      <translation>Engine einrichten</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Makes or repairs the Python environment in which all computing is done; needed once</source>
      <translation>Erstellt oder repariert die Python-Umgebung, in der alles gerechnet wird; einmal nötig</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>All computing is done by the engine, in a Python environment of its own in your QGIS profile. Nothing is installed into the Python of QGIS, and nothing outside the profile is changed. Run this once after installing the plugin, and again whenever the engine does not work: it then repairs what is there.

It needs a Python of version 3.11 or newer on this computer, and downloads about 400 MB (cpu) or several GB (cuda) of packages. Without a network, give a folder of wheels.

A set-up that fails or is cancelled leaves an engine that worked before as it was.</source>
      <translation>Alles wird von der Engine gerechnet, in einer eigenen Python-Umgebung in Ihrem QGIS-Profil. In das Python von QGIS wird nichts installiert, und außerhalb des Profils wird nichts verändert. Führen Sie dies einmal nach der Installation der Erweiterung aus, und wieder, wenn die Engine nicht funktioniert: Dann wird repariert, was da ist.

Nötig ist ein Python ab Version 3.11 auf diesem Rechner; heruntergeladen werden etwa 400 MB (cpu) oder mehrere GB (cuda). Ohne Netz geben Sie einen Ordner mit Wheels an.

Eine Einrichtung, die fehlschlägt oder abgebrochen wird, lässt eine vorher funktionierende Engine, wie sie war.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>install,engine,python,environment,pytorch,cuda,repair</source>
      <translation>installieren,Engine,Python,Umgebung,PyTorch,CUDA,reparieren</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Python</source>
      <translation>Python</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Python interpreter (version 3.11 or newer) to make the environment with. Empty: one is looked for.</source>
      <translation>Python-Interpreter (ab Version 3.11), mit dem die Umgebung erstellt wird. Leer: einer wird gesucht.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>cuda: for NVIDIA graphics cards, a much larger download. cpu: for all other computers. auto: cuda where an NVIDIA driver is installed.</source>
      <translation>cuda: für NVIDIA-Grafikkarten, lädt viel mehr herunter. cpu: für alle anderen Rechner. auto: cuda, wo ein NVIDIA-Treiber installiert ist.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Folder of wheels</source>
      <translation>Ordner mit Wheels</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Folder with all packages as .whl files, downloaded on another computer with the same system and Python version. Where it is given, no network is used, and it decides between cpu and cuda.</source>
      <translation>Ordner mit allen Paketen als .whl-Dateien, heruntergeladen auf einem anderen Rechner mit demselben System und derselben Python-Version. Ist er angegeben, wird kein Netz benutzt, und er entscheidet zwischen cpu und cuda.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Package index of PyTorch</source>
      <translation>Paketindex von PyTorch</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Address of the index that PyTorch is downloaded from, without its last part, cpu or cuXXX, which is added. An address that ends with such a part is taken as it is. Empty: the index of all other packages.</source>
      <translation>Adresse des Index, von dem PyTorch heruntergeladen wird, ohne ihren letzten Teil, cpu oder cuXXX, der angehängt wird. Eine Adresse, die so endet, wird genommen, wie sie ist. Leer: der Index aller anderen Pakete.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Build anew</source>
      <translation>Neu aufbauen</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Build the environment anew where it could be repaired: with the newest packages.</source>
      <translation>Die Umgebung neu aufbauen, auch wo sie repariert werden könnte: mit den neuesten Paketen.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Interpreter of the engine</source>
      <translation>Interpreter der Engine</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>This copy of the plugin lacks the engine's source: install it again.</source>
      <translation>Dieser Kopie der Erweiterung fehlt der Quelltext der Engine: Installieren Sie sie noch einmal.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Python {version}: {path}</source>
      <translation>Python {version}: {path}</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Cancelled.</source>
      <translation>Abgebrochen.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>The engine is set up, but the settings name another interpreter, which stays in use: {python}</source>
      <translation>Die Engine ist eingerichtet, aber die Einstellungen nennen einen anderen Interpreter, der in Gebrauch bleibt: {python}</translation>
    </message>
    <message>
      <location filename="../algorithms/train.py" />
      <source>A detached training runs in this folder; following it.</source>
      <translation>In diesem Ordner läuft ein abgelöstes Training; ihm wird gefolgt.</translation>
    </message>
    <message>
      <location filename="../algorithms/train.py" />
      <source>Overall accuracy on test places, by the sensors a pixel has:</source>
      <translation>Gesamtgenauigkeit an Testorten, nach den Sensoren eines Pixels:</translation>
    </message>
    <message>
      <location filename="../algorithms/train.py" />
      <source>No layer is given; give at least one raster to learn from.</source>
      <translation>Kein Layer ist angegeben; geben Sie mindestens ein Raster an, aus dem gelernt werden kann.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Train a land-cover model</source>
      <translation>Landbedeckungsmodell trainieren</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Trains one model for every combination of the sensors you have</source>
      <translation>Trainiert ein Modell für jede Kombination der Sensoren, die Sie haben</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>train,fit,learn,classification,land cover,missing,sensors,deep learning</source>
      <translation>trainieren,anpassen,lernen,Klassifikation,Landbedeckung,fehlend,Sensoren,Deep Learning</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Trains a model on your layers and labels. In training, sensors are taken away at random, so that one model knows every combination: later it maps each pixel with whatever sensors cover it.

Labels are split into spatial blocks with a distance between them, so that the accuracy in the report is that of places the model has not seen.

The run folder gets the model file, a report, the figures and the complete settings. A training that was cancelled, or that a crash ended, goes on from its last checkpoint: run it again with the same folder and "Go on with the run in the folder".</source>
      <translation>Trainiert ein Modell mit Ihren Layern und Trainingsflächen. Dabei werden zufällig Sensoren weggenommen, so dass ein Modell jede Kombination kennt: Später kartiert es jedes Pixel mit den Sensoren, die es abdecken.

Die Trainingsflächen werden in räumliche Blöcke mit Abstand voneinander geteilt, so dass die Genauigkeit im Bericht die von Orten ist, die das Modell nicht gesehen hat.

Der Laufordner erhält die Modelldatei, einen Bericht, die Zahlen und die vollständigen Einstellungen. Ein Training, das abgebrochen wurde oder durch einen Absturz endete, geht vom letzten Zwischenstand weiter: Starten Sie es mit demselben Ordner und "Mit dem Lauf im Ordner weitermachen" noch einmal.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Names for the further layers, separated by commas, in the same order. Empty: the layers' own names.</source>
      <translation>Namen für die weiteren Layer, durch Kommas getrennt, in derselben Reihenfolge. Leer: die Namen der Layer selbst.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Labels</source>
      <translation>Trainingsflächen</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Places where the class is known: polygons or points with a class field, or a raster of class values. Names and colours of the classes are taken from the layer's style where it has classes.</source>
      <translation>Orte, deren Klasse bekannt ist: Polygone oder Punkte mit einem Klassenfeld, oder ein Raster von Klassenwerten. Namen und Farben der Klassen kommen aus dem Stil des Layers, wo er Klassen hat.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Backbone</source>
      <translation>Backbone</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>compact is small, trained from scratch and quick without a graphics card. The others are large pretrained networks that are downloaded once, and want a graphics card.</source>
      <translation>compact ist klein, wird von Grund auf trainiert und ist ohne Grafikkarte schnell. Die anderen sind große vortrainierte Netze, die einmal heruntergeladen werden und eine Grafikkarte brauchen.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Epochs</source>
      <translation>Epochen</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Passes over the training data. Empty: as many as usually suffice.</source>
      <translation>Durchgänge durch die Trainingsdaten. Leer: so viele, wie meist genügen.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Missing rate</source>
      <translation>Anteil fehlender Sensoren</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Share of training samples from which sensors are taken away. High where sensors will often be missing; 0 if never.</source>
      <translation>Anteil der Trainingsbeispiele, denen Sensoren weggenommen werden. Hoch, wo Sensoren oft fehlen werden; 0, wenn nie.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Detached: train on when QGIS is closed</source>
      <translation>Abgelöst: auch ohne QGIS weiter trainieren</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Returns as soon as training has begun. To see how far it is, and to wait for its end, run again with the same folder and "Go on with the run in the folder".</source>
      <translation>Kehrt zurück, sobald das Training begonnen hat. Um zu sehen, wie weit es ist, und auf sein Ende zu warten, starten Sie noch einmal mit demselben Ordner und "Mit dem Lauf im Ordner weitermachen".</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Go on with the run in the folder</source>
      <translation>Mit dem Lauf im Ordner weitermachen</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Goes on from the last checkpoint in the run folder, or follows a detached training that still runs. Layers, labels and settings are those of the run; what is given above does not count.</source>
      <translation>Macht vom letzten Zwischenstand im Laufordner weiter, oder folgt einem abgelösten Training, das noch läuft. Layer, Trainingsflächen und Einstellungen sind die des Laufs; was oben angegeben ist, zählt nicht.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Run folder</source>
      <translation>Laufordner</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Gets the model file (model.safetensors), report.html, metrics.json and everything to go on with.</source>
      <translation>Erhält die Modelldatei (model.safetensors), report.html, metrics.json und alles, um weiterzumachen.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Overall accuracy with all sensors</source>
      <translation>Gesamtgenauigkeit mit allen Sensoren</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Overall accuracy of each combination of sensors (JSON)</source>
      <translation>Gesamtgenauigkeit jeder Kombination von Sensoren (JSON)</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Local file of the pretrained backbone's weights, instead of a download.</source>
      <translation>Lokale Datei mit den Gewichten des vortrainierten Backbones, statt sie herunterzuladen.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Start from model</source>
      <translation>Mit Modell beginnen</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Model file to start from; sensors and classes are matched by name, new ones are added.</source>
      <translation>Modelldatei, mit der begonnen wird; Sensoren und Klassen werden über ihre Namen zugeordnet, neue kommen hinzu.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Name of the sensor (hsi, elevation, sar, msi, or that of a further layer) whose pixels are used. Empty: the one with most bands.</source>
      <translation>Name des Sensors (hsi, elevation, sar, msi oder der eines weiteren Layers), dessen Pixel verwendet werden. Leer: der mit den meisten Kanälen.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Read-out</source>
      <translation>Ausgabeart</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>dense maps whole windows at once; centre spends one on each pixel and takes hundreds of times longer.</source>
      <translation>dense kartiert ganze Fenster auf einmal; centre braucht für jedes Pixel eines und hunderte Male länger.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Window, pixels</source>
      <translation>Fenster, Pixel</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Side of the square that the model sees. Empty: by read-out and backbone.</source>
      <translation>Seite des Quadrats, das das Modell sieht. Leer: nach Ausgabeart und Backbone.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Split of the labels</source>
      <translation>Teilung der Trainingsflächen</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>blocks keeps training and test apart in space. random does not: its accuracy is too good to be true.</source>
      <translation>blocks hält Training und Test räumlich auseinander. random nicht: Seine Genauigkeit ist zu schön, um wahr zu sein.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>The same seed and inputs give the same model.</source>
      <translation>Derselbe Startwert und dieselben Eingaben ergeben dasselbe Modell.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Further settings</source>
      <translation>Weitere Einstellungen</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>One section.key=value in each line, for instance training.learning_rate=0.001; see the configuration reference.</source>
      <translation>Ein Abschnitt.Schlüssel=Wert je Zeile, zum Beispiel training.learning_rate=0.001; siehe die Referenz der Konfiguration.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>No layer is given. The model maps from any of {names}; give the layers you have.</source>
      <translation>Kein Layer ist angegeben. Das Modell kartiert mit beliebigen von {names}; geben Sie die Layer an, die Sie haben.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>The file of layer "{layer}" has no CRS, others have one. Assign it one ("Assign projection").</source>
      <translation>Die Datei des Layers "{layer}" hat kein KBS, andere haben eines. Weisen Sie ihr eines zu ("Projektion zuweisen").</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>Layers "{one}" and "{other}" do not overlap. Give layers of one place, and check their CRSs.</source>
      <translation>Die Layer "{one}" und "{other}" überlappen nicht. Geben Sie Layer eines Ortes an, und prüfen Sie ihr KBS.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>Two layers would be named "{name}": give the further layers names of their own.</source>
      <translation>Zwei Layer hießen "{name}": Geben Sie den weiteren Layern eigene Namen.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>{names} names are given for {layers} further layers; give one for each, separated by commas.</source>
      <translation>{names} Namen sind für {layers} weitere Layer angegeben; geben Sie für jeden einen an, durch Kommas getrennt.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>Layers "{one}" and "{other}" are both given for {name}; mosaic them first, or leave one out.</source>
      <translation>Die Layer "{one}" und "{other}" sind beide für {name} angegeben; fügen Sie sie vorher zusammen, oder lassen Sie einen weg.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>The model has {count} sensors of the role {role}: {names}. Give layer "{layer}" among the further layers, with its name.</source>
      <translation>Das Modell hat {count} Sensoren der Art {role}: {names}. Geben Sie den Layer "{layer}" unter den weiteren Layern an, mit seinem Namen.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>The model has no sensor of the role {role}, for which layer "{layer}" is given; it knows {known}.</source>
      <translation>Das Modell hat keinen Sensor der Art {role}, für die der Layer "{layer}" angegeben ist; es kennt {known}.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>The model has no sensor "{name}"; it knows {known}.</source>
      <translation>Das Modell hat keinen Sensor "{name}"; es kennt {known}.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>The name of layer "{layer}" does not tell which sensor it is; the model knows {known}. Say it in the names of the further layers.</source>
      <translation>Der Name des Layers "{layer}" verrät nicht, welcher Sensor er ist; das Modell kennt {known}. Sagen Sie es in den Namen der weiteren Layer.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>Layer "{layer}" has {found} bands, the model reads {wanted} of {name}. Give the raster it was trained for.</source>
      <translation>Der Layer "{layer}" hat {found} Kanäle, das Modell liest {wanted} von {name}. Geben Sie das Raster an, für das es trainiert wurde.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>{bands} of {count}</source>
      <translation>{bands} von {count}</translation>
    </message>
    <message>
      <location filename="../bridge.py" />
      <source>Starting the engine</source>
      <translation>Die Engine startet</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Repairing {folder}</source>
      <translation>{folder} wird repariert</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>It cannot be repaired, and is built anew: {reason}</source>
      <translation>Sie lässt sich nicht reparieren und wird neu aufgebaut: {reason}</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>{folder}: no .whl files in this folder; choose the folder of the downloaded wheels.</source>
      <translation>{folder}: keine .whl-Dateien in diesem Ordner; wählen Sie den Ordner mit den heruntergeladenen Wheels.</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>{folder}: {free:.1f} GB free, the set-up needs {needed:.0f} GB for {compute}; free some space.</source>
      <translation>{folder}: {free:.1f} GB frei, die Einrichtung braucht {needed:.0f} GB für {compute}; schaffen Sie Platz.</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Making the environment</source>
      <translation>Umgebung wird erstellt</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Reading the wheels</source>
      <translation>Wheels werden gelesen</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Installing pip</source>
      <translation>pip wird installiert</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Installing PyTorch</source>
      <translation>PyTorch wird installiert</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Installing packages</source>
      <translation>Pakete werden installiert</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Testing</source>
      <translation>Test</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>{folder} cannot be replaced ({reason}); stop what uses the engine, and repeat.</source>
      <translation>{folder} lässt sich nicht ersetzen ({reason}); beenden Sie, was die Engine benutzt, und wiederholen Sie.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine is not set up yet. Run the algorithm "Set up the engine" once, or choose an interpreter that has it in {page}.</source>
      <translation>Die Engine ist noch nicht eingerichtet. Führen Sie einmal den Algorithmus "Engine einrichten" aus, oder wählen Sie unter {page} einen Interpreter, der sie hat.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine's Python interpreter {python} does not exist. Choose another in {page}, or run the algorithm "Set up the engine".</source>
      <translation>Den Python-Interpreter der Engine {python} gibt es nicht. Wählen Sie unter {page} einen anderen, oder führen Sie den Algorithmus "Engine einrichten" aus.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine's Python interpreter {python} cannot be started ({reason}). Choose another in {page}.</source>
      <translation>Der Python-Interpreter der Engine {python} lässt sich nicht starten ({reason}). Wählen Sie unter {page} einen anderen.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine's interpreter {python} lacks the package "{package}". Run the algorithm "Set up the engine" to install or repair it, or choose another interpreter in {page}.</source>
      <translation>Dem Interpreter der Engine {python} fehlt das Paket "{package}". Führen Sie den Algorithmus "Engine einrichten" aus, um es zu installieren oder zu reparieren, oder wählen Sie unter {page} einen anderen Interpreter.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine was ended by the system, most likely because memory ran out. Close other programs, set a smaller batch size or fewer threads, or map a smaller extent.</source>
      <translation>Die Engine wurde vom System beendet, wahrscheinlich weil der Speicher nicht reichte. Schließen Sie andere Programme, rechnen Sie weniger Fenster auf einmal oder mit weniger Threads, oder kartieren Sie eine kleinere Ausdehnung.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine crashed (code {code}). Run the algorithm "Check the engine" to see whether it works.</source>
      <translation>Die Engine ist abgestürzt (Code {code}). Führen Sie den Algorithmus "Engine prüfen" aus, um zu sehen, ob sie funktioniert.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine ended without a result. Is {python} the interpreter of the engine?</source>
      <translation>Die Engine endete ohne Ergebnis. Ist {python} der Interpreter der Engine?</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine did not start (exit code {code}). It needs Python 3.11 or newer; the interpreter is {python}. Run the algorithm "Set up the engine", or choose another interpreter in {page}.</source>
      <translation>Die Engine startete nicht (Exit-Code {code}). Sie braucht Python ab 3.11; der Interpreter ist {python}. Führen Sie den Algorithmus "Engine einrichten" aus, oder wählen Sie unter {page} einen anderen Interpreter.</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Model and layers</source>
      <translation>Modell und Layer</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Does not work: {problem}</source>
      <translation>Passt nicht: {problem}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Works, on the pixels of {reference}.</source>
      <translation>Passt, auf den Pixeln von {reference}.</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Warning: {text}</source>
      <translation>Warnung: {text}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Classes</source>
      <translation>Klassen</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Value</source>
      <translation>Wert</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Class</source>
      <translation>Klasse</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>no data</source>
      <translation>keine Daten</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>overall accuracy {figure}</source>
      <translation>Gesamtgenauigkeit {figure}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>What would be mapped with which sensors</source>
      <translation>Was mit welchen Sensoren kartiert würde</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Sensors</source>
      <translation>Sensoren</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Share of pixels</source>
      <translation>Anteil der Pixel</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>{count} bands</source>
      <translation>{count} Kanäle</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>{count} of {all} bands</source>
      <translation>{count} von {all} Kanälen</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>decibels</source>
      <translation>Dezibel</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Sensors of the model</source>
      <translation>Sensoren des Modells</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Name</source>
      <translation>Name</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Role</source>
      <translation>Art</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Bands</source>
      <translation>Kanäle</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>never trained</source>
      <translation>nie trainiert</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>overall {oa}</source>
      <translation>gesamt {oa}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>mean of classes {aa}</source>
      <translation>Mittel der Klassen {aa}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Overall</source>
      <translation>Gesamt</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Mean of classes</source>
      <translation>Mittel der Klassen</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Accuracy in the model's own test, by the sensors a pixel has</source>
      <translation>Genauigkeit im eigenen Test des Modells, nach den Sensoren eines Pixels</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>{width} x {height} pixels of {x:g} x {y:g}</source>
      <translation>{width} x {height} Pixel von {x:g} x {y:g}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>{usable} of {count} bands usable</source>
      <translation>{usable} von {count} Kanälen brauchbar</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>{share:.3g} % valid</source>
      <translation>{share:.3g} % gültig</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Layers</source>
      <translation>Layer</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Size</source>
      <translation>Größe</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>CRS</source>
      <translation>KBS</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Pixels</source>
      <translation>Pixel</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>unknown</source>
      <translation>unbekannt</translation>
    </message>
    <message>
      <location filename="../labels.py" />
      <source>Class field of points or polygons</source>
      <translation>Klassenfeld von Punkten oder Polygonen</translation>
    </message>
    <message>
      <location filename="../labels.py" />
      <source>Field that holds the class, as a number or a name. Not for rasters.</source>
      <translation>Feld, das die Klasse enthält, als Zahl oder als Name. Nicht bei Rastern.</translation>
    </message>
    <message>
      <location filename="../labels.py" />
      <source>Layer "{layer}" holds no places; give points, polygons, or a raster of class values.</source>
      <translation>Der Layer "{layer}" enthält keine Orte; geben Sie Punkte, Polygone oder ein Raster von Klassenwerten an.</translation>
    </message>
    <message>
      <location filename="../labels.py" />
      <source>Say which field of layer "{layer}" holds the class: {known}.</source>
      <translation>Sagen Sie, welches Feld des Layers "{layer}" die Klasse enthält: {known}.</translation>
    </message>
    <message>
      <location filename="../labels.py" />
      <source>Layer "{layer}" has no field "{field}"; it has: {known}.</source>
      <translation>Der Layer "{layer}" hat kein Feld "{field}"; er hat: {known}.</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" has the CRS {shown} in QGIS, its file {path} has {own}. The engine reads the file: write the right CRS into it with "Assign projection".</source>
      <translation>Der Layer "{layer}" hat in QGIS das KBS {shown}, seine Datei {path} hat {own}. Die Engine liest die Datei: Schreiben Sie das richtige KBS mit "Projektion zuweisen" hinein.</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>none</source>
      <translation>keines</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" has its own no-data settings in QGIS. The engine reads the file {path} as it is: write no-data values into it with "Translate".</source>
      <translation>Der Layer "{layer}" hat in QGIS eigene Angaben zu fehlenden Daten. Die Engine liest die Datei {path}, wie sie ist: Schreiben Sie die Leerwerte mit "Übersetzen" hinein.</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>{path}: not a raster that can be opened.</source>
      <translation>{path}: kein Raster, das sich öffnen lässt.</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" has {bands} bands; a raster of class values has one.</source>
      <translation>Der Layer "{layer}" hat {bands} Kanäle; ein Raster von Klassenwerten hat einen.</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" comes from {kind}, not from a file. The engine reads raster files: save the layer as GeoTIFF first (Export &gt; Save As).</source>
      <translation>Der Layer "{layer}" kommt von {kind}, nicht aus einer Datei. Die Engine liest Rasterdateien: Speichern Sie den Layer zuerst als GeoTIFF (Export &gt; Speichern als).</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" ({source}) lies in memory, in an archive or on a server. The engine reads raster files: save the layer as GeoTIFF first (Export &gt; Save As).</source>
      <translation>Der Layer "{layer}" ({source}) liegt im Speicher, in einem Archiv oder auf einem Server. Die Engine liest Rasterdateien: Speichern Sie den Layer zuerst als GeoTIFF (Export &gt; Speichern als).</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" is no raster file of its own ({source}), for instance a data set inside a container. Save it as GeoTIFF first (Export &gt; Save As).</source>
      <translation>Der Layer "{layer}" ist keine eigene Rasterdatei ({source}), sondern zum Beispiel ein Datensatz in einem Container. Speichern Sie ihn zuerst als GeoTIFF (Export &gt; Speichern als).</translation>
    </message>
    <message>
      <location filename="../listener.py" />
      <source>Reading the layers</source>
      <translation>Layer werden gelesen</translation>
    </message>
    <message>
      <location filename="../listener.py" />
      <source>Training</source>
      <translation>Training</translation>
    </message>
    <message>
      <location filename="../listener.py" />
      <source>Mapping</source>
      <translation>Kartierung</translation>
    </message>
    <message>
      <location filename="../listener.py" />
      <source>Writing</source>
      <translation>Schreiben</translation>
    </message>
    <message>
      <location filename="../listener.py" />
      <source>{time} left</source>
      <translation>noch {time}</translation>
    </message>
    <message>
      <location filename="../modelfile.py" />
      <source>{path}: model file format {version}, this plugin reads {ours}; update the plugin or train the model again.</source>
      <translation>{path}: Modelldatei im Format {version}, diese Erweiterung liest {ours}; aktualisieren Sie die Erweiterung, oder trainieren Sie das Modell neu.</translation>
    </message>
    <message>
      <location filename="../modelfile.py" />
      <source>{path}: damaged model description; copy the file again.</source>
      <translation>{path}: beschädigte Modellbeschreibung; kopieren Sie die Datei noch einmal.</translation>
    </message>
    <message>
      <location filename="../modelfile.py" />
      <source>{path}: the model file cannot be read ({reason}); check the path.</source>
      <translation>{path}: Die Modelldatei ist nicht lesbar ({reason}); prüfen Sie den Pfad.</translation>
    </message>
    <message>
      <location filename="../modelfile.py" />
      <source>{path}: truncated or damaged model file; copy it again.</source>
      <translation>{path}: abgeschnittene oder beschädigte Modelldatei; kopieren Sie sie noch einmal.</translation>
    </message>
    <message>
      <location filename="../modelfile.py" />
      <source>{path}: not a model file; choose a .safetensors file that was written by training.</source>
      <translation>{path}: keine Modelldatei; wählen Sie eine .safetensors-Datei, die beim Training geschrieben wurde.</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Python interpreter of the engine</source>
      <translation>Python-Interpreter der Engine</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>the one made by "Set up the engine"</source>
      <translation>der mit "Engine einrichten" erstellte</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Runs the engine on another machine or in a container. Empty: it runs here.</source>
      <translation>Führt die Engine auf einem anderen Rechner oder in einem Container aus. Leer: Sie läuft hier.</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Folders that both machines see, HERE = THERE, separated by semicolons. Empty: names are the same there.</source>
      <translation>Ordner, die beide Rechner sehen, HIER = DORT, durch Semikolon getrennt. Leer: Die Namen sind dort dieselben.</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>all</source>
      <translation>alle</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>the index of all other packages</source>
      <translation>der Index aller anderen Pakete</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Test the engine</source>
      <translation>Engine testen</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Keeps these settings, and runs the algorithm that checks the engine</source>
      <translation>Behält diese Einstellungen und führt den Algorithmus aus, der die Engine prüft</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Engine interpreter</source>
      <translation>Interpreter der Engine</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Command of a remote engine</source>
      <translation>Befehl einer entfernten Engine</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Folders there</source>
      <translation>Ordner dort</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Processor threads</source>
      <translation>Prozessor-Threads</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Raster cache</source>
      <translation>Raster-Zwischenspeicher</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>PyTorch's package index</source>
      <translation>Paketindex von PyTorch</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>The engine runs in a Python environment of its own (3.11 or newer). Leave the interpreter empty and run the algorithm "Set up the engine", or choose a Python that has the engine's packages.</source>
      <translation>Die Engine läuft in einer eigenen Python-Umgebung (ab 3.11). Lassen Sie den Interpreter leer und führen Sie den Algorithmus "Engine einrichten" aus, oder wählen Sie ein Python, das die Pakete der Engine hat.</translation>
    </message>
    <message>
      <location filename="../pip_output.py" />
      <source>Unpacking {count} packages</source>
      <translation>{count} Pakete werden entpackt</translation>
    </message>
    <message>
      <location filename="../pip_output.py" />
      <source>{folder} lacks this package for this Python and system: download it there, and repeat.</source>
      <translation>In {folder} fehlt dieses Paket für dieses Python und System: Laden Sie es dorthin herunter, und wiederholen Sie.</translation>
    </message>
    <message>
      <location filename="../pip_output.py" />
      <source>The package index was not reached: check network and proxy, or install from a folder of wheels.</source>
      <translation>Der Paketindex wurde nicht erreicht: Prüfen Sie Netz und Proxy, oder installieren Sie aus einem Ordner mit Wheels.</translation>
    </message>
    <message>
      <location filename="../pip_output.py" />
      <source>Free some disk space, and repeat.</source>
      <translation>Schaffen Sie Platz auf der Platte, und wiederholen Sie.</translation>
    </message>
    <message>
      <location filename="../pip_output.py" />
      <source>The packages could not be installed: {reason}</source>
      <translation>Die Pakete ließen sich nicht installieren: {reason}</translation>
    </message>
    <message>
      <location filename="../python_choice.py" />
      <source>{path} is Python {version}, the engine needs {minimum} or newer; choose another Python.</source>
      <translation>{path} ist Python {version}, die Engine braucht {minimum} oder neuer; wählen Sie ein anderes Python.</translation>
    </message>
    <message>
      <location filename="../python_choice.py" />
      <source>{path} is Python {version} with {bits} bits, PyTorch needs 64; choose another Python.</source>
      <translation>{path} ist Python {version} mit {bits} Bit, PyTorch braucht 64; wählen Sie ein anderes Python.</translation>
    </message>
    <message>
      <location filename="../python_choice.py" />
      <source>{path} is Python {version} without the modules venv and ensurepip; on Debian and Ubuntu: apt install {package}</source>
      <translation>{path} ist Python {version} ohne die Module venv und ensurepip; auf Debian und Ubuntu: apt install {package}</translation>
    </message>
    <message>
      <location filename="../python_choice.py" />
      <source>No suitable Python was found. Install Python {minimum} or newer, or choose one. {complaint}</source>
      <translation>Kein passendes Python wurde gefunden. Installieren Sie Python {minimum} oder neuer, oder wählen Sie eines. {complaint}</translation>
    </message>
    <message>
      <location filename="../python_choice.py" />
      <source>{path} does not run as a Python interpreter ({reason}); choose another.</source>
      <translation>{path} läuft nicht als Python-Interpreter ({reason}); wählen Sie einen anderen.</translation>
    </message>
    <message>
      <location filename="../reference.py" />
      <source>"{name}" is to be the reference, but no layer is given for it (given: {names}).</source>
      <translation>"{name}" soll die Referenz sein, aber dafür ist kein Layer angegeben (angegeben: {names}).</translation>
    </message>
    <message>
      <location filename="../remote.py" />
      <source>The command of the remote engine, "{command}", cannot be understood: a quote is left open.</source>
      <translation>Der Befehl der entfernten Engine, "{command}", ist nicht zu verstehen: Ein Anführungszeichen bleibt offen.</translation>
    </message>
    <message>
      <location filename="../remote.py" />
      <source>The command of the remote engine, "{command}", begins with a program that is not there.</source>
      <translation>Der Befehl der entfernten Engine, "{command}", beginnt mit einem Programm, das es nicht gibt.</translation>
    </message>
    <message>
      <location filename="../remote.py" />
      <source>"{part}" does not say how a folder is called there; expected HERE = THERE with full names.</source>
      <translation>"{part}" sagt nicht, wie ein Ordner dort heißt; erwartet wird HIER = DORT mit vollständigen Namen.</translation>
    </message>
    <message>
      <location filename="../remote.py" />
      <source>{path} lies in no folder that the remote engine sees ({folders}). Choose a file or folder in one of them, or name its folder in {page}.</source>
      <translation>{path} liegt in keinem Ordner, den die entfernte Engine sieht ({folders}). Wählen Sie eine Datei oder einen Ordner darin, oder nennen Sie den Ordner in {page}.</translation>
    </message>
    <message>
      <location filename="../report_file.py" />
      <source>{path}: the report cannot be written ({reason}); choose another file.</source>
      <translation>{path}: Der Bericht kann nicht geschrieben werden ({reason}); wählen Sie eine andere Datei.</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>{folder}: holds no run to go on with.</source>
      <translation>{folder}: enthält keinen Lauf, mit dem weitergemacht werden kann.</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>{folder}: a detached training runs in this folder.</source>
      <translation>{folder}: In diesem Ordner läuft ein abgelöstes Training.</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>{folder}: holds a run already. Choose another folder, or tick "Go on with the run in the folder".</source>
      <translation>{folder}: enthält schon einen Lauf. Wählen Sie einen anderen Ordner, oder haken Sie "Mit dem Lauf im Ordner weitermachen" an.</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>{folder}: cannot be written ({reason}); choose another folder.</source>
      <translation>{folder}: nicht beschreibbar ({reason}); wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>A training of a remote engine ends with QGIS; start it on the other machine instead.</source>
      <translation>Ein Training einer entfernten Engine endet mit QGIS; starten Sie es stattdessen auf dem anderen Rechner.</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>Training goes on without QGIS, as process {number}. To stop it: {command}</source>
      <translation>Das Training geht ohne QGIS weiter, als Prozess {number}. Anhalten lässt es sich mit: {command}</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>No longer following. The training goes on without QGIS.</source>
      <translation>Wird nicht weiter verfolgt. Das Training geht ohne QGIS weiter.</translation>
    </message>
    <message>
      <location filename="../vectors.py" />
      <source>Layer "{layer}" cannot be copied to {path}: {reason}</source>
      <translation>Der Layer "{layer}" lässt sich nicht nach {path} kopieren: {reason}</translation>
    </message>
  </context>
</TS>
