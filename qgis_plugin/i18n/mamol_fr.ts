<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="fr" sourcelanguage="en">
  <context>
    <name>MaMOL</name>
    <message>
      <location filename="../algorithms/base.py" />
      <source>Compute on</source>
      <translation>Calculer sur</translation>
    </message>
    <message>
      <location filename="../algorithms/base.py" />
      <source>auto takes a graphics card where the engine finds one, else the processor (cpu).</source>
      <translation>auto prend une carte graphique là où le moteur en trouve une, sinon le processeur (cpu).</translation>
    </message>
    <message>
      <location filename="../algorithms/base.py" />
      <source>Number format</source>
      <translation>Format des nombres</translation>
    </message>
    <message>
      <location filename="../algorithms/base.py" />
      <source>auto takes the fastest that the device computes well; float32 is the most exact.</source>
      <translation>auto prend le format le plus rapide que l'appareil calcule bien ; float32 est le plus exact.</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Check the engine</source>
      <translation>Vérifier le moteur</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Tells whether the engine works and what it computes on, as text for a bug report</source>
      <translation>Dit si le moteur fonctionne et sur quoi il calcule, sous forme de texte pour un rapport d'erreur</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Starts the engine, asks for its versions, the device it really computes on, memory and free disk space, and tests in a few seconds that it can read and write rasters and train a network.

Paste the text into your report when something does not work. It says nothing about your data; your home folder is written as ~.</source>
      <translation>Démarre le moteur, demande ses versions, l'appareil sur lequel il calcule réellement, la mémoire et l'espace disque libre, et vérifie en quelques secondes qu'il sait lire et écrire des rasters et entraîner un réseau.

Collez le texte dans votre rapport quand quelque chose ne fonctionne pas. Il ne dit rien de vos données ; votre dossier personnel y est écrit ~.</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>engine,diagnose,test,gpu,cuda,version,bug report</source>
      <translation>moteur,diagnostic,test,GPU,CUDA,version,rapport d'erreur</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Report</source>
      <translation>Rapport</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Text files (*.txt)</source>
      <translation>Fichiers texte (*.txt)</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>The text as a file.</source>
      <translation>Le texte sous forme de fichier.</translation>
    </message>
    <message>
      <location filename="../algorithms/checkengine.py" />
      <source>Text of the report</source>
      <translation>Texte du rapport</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Evaluate a land-cover map</source>
      <translation>Évaluer une carte d'occupation du sol</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Compares a land-cover map with reference labels</source>
      <translation>Compare une carte d'occupation du sol à des données de référence</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>accuracy,assessment,validation,confusion matrix,kappa,reference</source>
      <translation>exactitude,évaluation,validation,matrice de confusion,kappa,référence</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Compares a land-cover map with places where the class is known: overall accuracy, mean accuracy of the classes, kappa, accuracy of each class, and the confusion matrix; with the raster of sensors used also for each combination of sensors.

Classes are matched by name where map and reference have names, else by value.

With points of the algorithm that draws them, or another random sample whose design you name, accuracies and class areas hold for the whole map and come with 95 % intervals (Olofsson et al. 2014, Stehman 2014). Without a design the figures describe the reference pixels only.</source>
      <translation>Compare une carte d'occupation du sol avec des lieux dont la classe est connue : exactitude globale, exactitude moyenne des classes, kappa, exactitude de chaque classe et matrice de confusion ; avec le raster des capteurs utilisés, aussi pour chaque combinaison de capteurs.

Les classes sont associées par leur nom lorsque carte et référence en ont, sinon par leur valeur.

Avec les points de l'algorithme qui les tire, ou un autre échantillon aléatoire dont vous indiquez le plan, exactitudes et surfaces des classes valent pour toute la carte et ont des intervalles à 95 % (Olofsson et al. 2014, Stehman 2014). Sans plan, les chiffres ne décrivent que les pixels de référence.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Land-cover map</source>
      <translation>Carte d'occupation du sol</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>One band of class values, 0 where there is no class.</source>
      <translation>Une bande de valeurs de classe, 0 là où il n'y a pas de classe.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Reference</source>
      <translation>Référence</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Polygons or points with a class field, or a raster of class values. Any CRS.</source>
      <translation>Polygones ou points avec un champ de classe, ou raster de valeurs de classe. SCR quelconque.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Sensors used</source>
      <translation>Capteurs utilisés</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>The raster that was written beside the map: gives the accuracy of each combination of sensors.</source>
      <translation>Le raster qui a été écrit à côté de la carte : donne l'exactitude de chaque combinaison de capteurs.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Sampling design of the reference</source>
      <translation>Plan d'échantillonnage de la référence</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>auto: as sample points know it themselves; other references are counted as they come. random: a simple random sample of the map. stratified: a random sample of each stratum.</source>
      <translation>auto : comme les points d'échantillon le savent eux-mêmes ; les autres références sont comptées telles quelles. random : un échantillon aléatoire simple de la carte. stratified : un échantillon aléatoire de chaque strate.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Strata</source>
      <translation>Strates</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Of the design stratified, on the map's grid. Empty: the map's classes.</source>
      <translation>Pour le plan stratified, sur la grille de la carte. Vide : les classes de la carte.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Map to compare with</source>
      <translation>Carte à comparer</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Another map on the same grid: which of the two is more accurate? McNemar's test.</source>
      <translation>Une autre carte sur la même grille : laquelle des deux est la plus exacte ? Test de McNemar.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Folder for the figures</source>
      <translation>Dossier pour les chiffres</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Gets report.html, accuracy.json, accuracy.csv and confusion.csv.</source>
      <translation>Reçoit report.html, accuracy.json, accuracy.csv et confusion.csv.</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Figures (JSON)</source>
      <translation>Chiffres (JSON)</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Overall accuracy, a fraction</source>
      <translation>Exactitude globale, en fraction</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Standard error of the overall accuracy, where known</source>
      <translation>Erreur type de l'exactitude globale, si connue</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Mean accuracy of the classes, a fraction</source>
      <translation>Exactitude moyenne des classes, en fraction</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Kappa</source>
      <translation>Kappa</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Reference pixels compared</source>
      <translation>Pixels de référence comparés</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Overall accuracy</source>
      <translation>Exactitude globale</translation>
    </message>
    <message>
      <location filename="../algorithms/evaluate.py" />
      <source>Mean accuracy of the classes</source>
      <translation>Exactitude moyenne des classes</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Inspect model and layers</source>
      <translation>Examiner modèle et couches</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Tells what a model needs, how accurate it is, and whether your layers would work with it</source>
      <translation>Dit ce dont un modèle a besoin, son exactitude, et si vos couches lui conviennent</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>inspect,check,dry run,model,accuracy,sensors,info</source>
      <translation>examiner,vérifier,essai à blanc,modèle,exactitude,capteurs,information</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>A dry run: looks without mapping.

With a model: which sensors it knows, its classes, and how accurate it was in its own test with every combination of sensors. With layers: their size, CRS, bands and share of valid pixels. With both: whether they would work together, which combinations of sensors would occur, and what to expect of them.

Where something does not fit, the report says what, and the output WORKS is false.</source>
      <translation>Un essai à blanc : regarde sans cartographier.

Avec un modèle : les capteurs qu'il connaît, ses classes, et son exactitude dans son propre test avec chaque combinaison de capteurs. Avec des couches : leur taille, SCR, bandes et part de pixels valides. Avec les deux : s'ils vont ensemble, quelles combinaisons de capteurs se présenteraient et ce qu'il faut en attendre.

Quand quelque chose ne va pas, le rapport dit quoi, et la sortie WORKS est fausse.</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Model</source>
      <translation>Modèle</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Model file (.safetensors). Empty: only the layers are looked at.</source>
      <translation>Fichier de modèle (.safetensors). Vide : seules les couches sont examinées.</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Names of the further layers, separated by commas, in the same order. Empty: their own names tell.</source>
      <translation>Noms des autres couches, séparés par des virgules, dans le même ordre. Vide : leurs propres noms comptent.</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>HTML files (*.html)</source>
      <translation>Fichiers HTML (*.html)</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Page with everything that was found.</source>
      <translation>Page avec tout ce qui a été trouvé.</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Model and layers work together</source>
      <translation>Modèle et couches vont ensemble</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>What does not fit</source>
      <translation>Ce qui ne va pas</translation>
    </message>
    <message>
      <location filename="../algorithms/inspect.py" />
      <source>Nothing to inspect: give a model, layers, or both.</source>
      <translation>Rien à examiner : donnez un modèle, des couches, ou les deux.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>{path}: the name of this output must end in {endings}.</source>
      <translation>{path} : le nom de cette sortie doit finir par {endings}.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source> or </source>
      <translation> ou </translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>{error}
All pixels are mapped, only the files are not written. Mend that (is the old map open somewhere?), tick "{keep}" and run again with the same inputs and outputs: it goes on from {work}.</source>
      <translation>{error}
Tous les pixels sont cartographiés, seuls les fichiers ne sont pas écrits. Remédiez-y (l'ancienne carte est-elle ouverte quelque part ?), cochez « {keep} » et relancez avec les mêmes entrées et sorties : le travail reprend à partir de {work}.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>The overlap may be at most {core} with this model.</source>
      <translation>Avec ce modèle, le recouvrement est de {core} au plus.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Accuracy of the model in its own test, by the sensors a pixel has:</source>
      <translation>Exactitude du modèle dans son propre test, selon les capteurs d'un pixel :</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Land cover ({sensors})</source>
      <translation>Occupation du sol ({sensors})</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Confidence, percent ({sensors})</source>
      <translation>Confiance, pour cent ({sensors})</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Probabilities, percent ({sensors})</source>
      <translation>Probabilités, pour cent ({sensors})</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Sensors used ({sensors})</source>
      <translation>Capteurs utilisés ({sensors})</translation>
    </message>
    <message>
      <location filename="../algorithms/predict.py" />
      <source>Land cover, model {model}</source>
      <translation>Occupation du sol, modèle {model}</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Map land cover</source>
      <translation>Cartographier l'occupation du sol</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Maps land cover with a trained model and whatever sensors cover each pixel</source>
      <translation>Cartographie l'occupation du sol avec un modèle entraîné et les capteurs qui couvrent chaque pixel</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>predict,classify,classification,land cover,inference,missing,sensors,deep learning</source>
      <translation>prédire,classer,classification,occupation du sol,inférence,manquant,capteurs,apprentissage profond</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Makes a land-cover map with a trained model.

Give the layers you have: the model knows every combination of its sensors, and each pixel is mapped with the sensors that have data there. Where none has, the map has no data. Layers may differ in pixel size, extent and CRS.

The log begins with the combinations of sensors that occur and how accurate the model was with each. The map comes with class names and colours.</source>
      <translation>Fait une carte d'occupation du sol avec un modèle entraîné.

Donnez les couches que vous avez : le modèle connaît toutes les combinaisons de ses capteurs, et chaque pixel est cartographié avec les capteurs qui y ont des données. Là où aucun n'en a, la carte est vide. Taille des pixels, emprise et SCR des couches peuvent différer.

Le journal commence par les combinaisons de capteurs qui se présentent et l'exactitude du modèle avec chacune. La carte vient avec les noms et les couleurs des classes.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Model file (.safetensors), written by the algorithm that trains.</source>
      <translation>Fichier de modèle (.safetensors), écrit par l'algorithme d'entraînement.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>The names that the model has for the further layers, separated by commas, in the same order. Empty: the layers' own names tell.</source>
      <translation>Les noms que le modèle donne aux autres couches, séparés par des virgules, dans le même ordre. Vide : les noms des couches elles-mêmes comptent.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Extent</source>
      <translation>Emprise</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Part to map. Empty: all of the reference layer.</source>
      <translation>Partie à cartographier. Vide : toute la couche de référence.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Area of interest</source>
      <translation>Zone d'intérêt</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Polygons; pixels outside them get no data. Any CRS.</source>
      <translation>Polygones ; les pixels en dehors restent vides. SCR quelconque.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Reference sensor</source>
      <translation>Capteur de référence</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Name of the sensor (as in the model) whose pixels are mapped. Empty: the one whose pixels are nearest in size to those of the training.</source>
      <translation>Nom du capteur (comme dans le modèle) dont les pixels sont cartographiés. Vide : celui dont la taille de pixel est la plus proche de celle de l'entraînement.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Overlap</source>
      <translation>Recouvrement</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Averages N x N shifted windows: smoother borders for N x N times the work. 1 is fast.</source>
      <translation>Moyenne de N x N fenêtres décalées : limites plus douces pour N x N fois le travail. 1 est rapide.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Windows at once</source>
      <translation>Fenêtres à la fois</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>How many windows are computed at once. Empty: by model and device; smaller needs less memory.</source>
      <translation>Combien de fenêtres sont calculées à la fois. Vide : selon le modèle et l'appareil ; moins demande moins de mémoire.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Weights of the backbone</source>
      <translation>Poids du backbone</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>File of the pretrained backbone's weights, for models that do not hold them and where they cannot be downloaded.</source>
      <translation>Fichier des poids du backbone préentraîné, pour les modèles qui ne les contiennent pas et là où on ne peut pas les télécharger.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Keep unfinished work, and go on with it</source>
      <translation>Garder le travail inachevé et le poursuivre</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>If the run is cancelled or fails, what is done stays beside the map, and the next run with the same inputs and outputs goes on from there.</source>
      <translation>Si le traitement est annulé ou échoue, ce qui est fait reste à côté de la carte, et le prochain traitement avec les mêmes entrées et sorties continue de là.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>GeoTIFF of class values, with names, colours and overviews. 0 is no data.</source>
      <translation>GeoTIFF de valeurs de classe, avec noms, couleurs et aperçus. 0 : pas de données.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Confidence</source>
      <translation>Confiance</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>How sure the model is of the mapped class, in percent.</source>
      <translation>À quel point le modèle est sûr de la classe cartographiée, en pour cent.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Probabilities</source>
      <translation>Probabilités</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Probability of every class in percent, one band for each.</source>
      <translation>Probabilité de chaque classe en pour cent, une bande pour chacune.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Which combination of sensors each pixel was mapped with.</source>
      <translation>Avec quelle combinaison de capteurs chaque pixel a été cartographié.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Summary</source>
      <translation>Résumé</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Page with the area of each class, and the accuracy and share of each combination of sensors.</source>
      <translation>Page avec la surface de chaque classe, et l'exactitude et la part de chaque combinaison de capteurs.</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Pixels mapped</source>
      <translation>Pixels cartographiés</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Seconds</source>
      <translation>Secondes</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Pixels per second</source>
      <translation>Pixels par seconde</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Hectares of each class (JSON)</source>
      <translation>Hectares de chaque classe (JSON)</translation>
    </message>
    <message>
      <location filename="../algorithms/predict_parameters.py" />
      <source>Share of each combination of sensors (JSON)</source>
      <translation>Part de chaque combinaison de capteurs (JSON)</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Draw sample points for reference labels</source>
      <translation>Tirer des points d'échantillon pour les classes de référence</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Draws a stratified random sample of a land-cover map, to be labelled and evaluated</source>
      <translation>Tire un échantillon aléatoire stratifié d'une carte d'occupation du sol, à interpréter puis à évaluer</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>sample,points,stratified,random,reference,validation,accuracy,area</source>
      <translation>échantillon,points,stratifié,aléatoire,référence,validation,exactitude,surface</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Draws a stratified random sample of a land-cover map, with the map's classes as strata.

The points have an empty field reference. Look at each place in images that are better than the map, and choose the class that is really there from the list that the form offers; what the map says is hidden. Points come in random order: who stops early still has a random sample.

Then evaluate the map with these points and the field reference. Accuracies and areas of the classes hold for the whole map, and come with 95 % intervals (Olofsson et al. 2014).</source>
      <translation>Tire un échantillon aléatoire stratifié d'une carte d'occupation du sol, avec les classes de la carte comme strates.

Les points ont un champ reference vide. Regardez chaque lieu dans des images meilleures que la carte et choisissez, dans la liste du formulaire, la classe qui s'y trouve vraiment ; ce que dit la carte est caché. Les points viennent dans un ordre aléatoire : qui s'arrête tôt a encore un échantillon aléatoire.

Évaluez ensuite la carte avec ces points et le champ reference. Exactitudes et surfaces des classes valent pour toute la carte et ont des intervalles à 95 % (Olofsson et al. 2014).</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Number of points</source>
      <translation>Nombre de points</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Empty: as many as the standard error below needs.</source>
      <translation>Vide : autant que l'erreur type ci-dessous en demande.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Standard error of the overall accuracy</source>
      <translation>Erreur type de l'exactitude globale</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>A fraction; 0.015 means an interval of 3 percent to both sides. Not used where a number is given.</source>
      <translation>Une fraction ; 0.015 signifie un intervalle de 3 pour cent de chaque côté. Ignoré si un nombre est donné.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Share among classes</source>
      <translation>Répartition entre les classes</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>proportional to their size; equal, best for the accuracy of each class; neyman, best for the overall accuracy.</source>
      <translation>proportional à leur taille ; equal (égale), le mieux pour l'exactitude de chaque classe ; neyman, le mieux pour l'exactitude globale.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Points per class at least</source>
      <translation>Points par classe au moins</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>So that rare classes have enough for an interval.</source>
      <translation>Pour que les classes rares en aient assez pour un intervalle.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Expected user's accuracy</source>
      <translation>Exactitude utilisateur attendue</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>A fraction; of single classes as NAME=FRACTION, separated by semicolons: 0.8; water=0.95.</source>
      <translation>Une fraction ; pour une classe seule NOM=FRACTION, séparées par des points-virgules : 0.8; eau=0.95.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Seed</source>
      <translation>Graine</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>The same seed draws the same points.</source>
      <translation>La même graine tire les mêmes points.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Sample points</source>
      <translation>Points d'échantillon</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>A GeoPackage.</source>
      <translation>Un GeoPackage.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Give a number of points, or the standard error that they should reach.</source>
      <translation>Donnez un nombre de points, ou l'erreur type qu'ils doivent atteindre.</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>Land cover</source>
      <translation>Occupation du sol</translation>
    </message>
    <message>
      <location filename="../algorithms/samplepoints.py" />
      <source>{path} holds {count} points that are labelled already. Choose another name.</source>
      <translation>{path} contient {count} points déjà interprétés. Choisissez un autre nom.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Hyperspectral image</source>
      <translation>Image hyperspectrale</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Image cube with tens to hundreds of narrow bands.</source>
      <translation>Cube d'image de dizaines à centaines de bandes étroites.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Elevation or LiDAR</source>
      <translation>Altitude ou LiDAR</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Surface or terrain model, canopy height, or other rasters made from LiDAR.</source>
      <translation>Modèle de surface ou de terrain, hauteur de canopée, ou autres rasters tirés du LiDAR.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Radar (SAR)</source>
      <translation>Radar (SAR)</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Backscatter, in decibels or as intensity; one band for each polarisation.</source>
      <translation>Rétrodiffusion, en décibels ou en intensité ; une bande par polarisation.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Multispectral image</source>
      <translation>Image multispectrale</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>A few broad bands, such as Sentinel-2, Landsat or aerial.</source>
      <translation>Quelques bandes larges, par exemple Sentinel-2, Landsat ou photo aérienne.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Leave it empty where you have none. Pixel size, extent and CRS may differ from other layers. All bands of the file are read, whatever QGIS shows of them.</source>
      <translation>Laissez vide si vous n'en avez pas. Taille des pixels, emprise et SCR peuvent différer des autres couches. Toutes les bandes du fichier sont lues, quoi que QGIS en montre.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Further layers</source>
      <translation>Autres couches</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Rasters of any other kind, or a second one of a kind.</source>
      <translation>Rasters de toute autre sorte, ou un deuxième d'une sorte.</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>Names of the further layers</source>
      <translation>Noms des autres couches</translation>
    </message>
    <message>
      <location filename="../algorithms/sensors.py" />
      <source>One of the further layers cannot be opened.</source>
      <translation>L'une des autres couches ne peut pas être ouverte.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Set up the engine</source>
      <translation>Installer le moteur</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Makes or repairs the Python environment in which all computing is done; needed once</source>
      <translation>Crée ou répare l'environnement Python où se font tous les calculs ; nécessaire une fois</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>All computing is done by the engine, in a Python environment of its own in your QGIS profile. Nothing is installed into the Python of QGIS, and nothing outside the profile is changed. Run this once after installing the plugin, and again whenever the engine does not work: it then repairs what is there.

It needs a Python of version 3.11 or newer on this computer, and downloads about 400 MB (cpu) or several GB (cuda) of packages. Without a network, give a folder of wheels.

A set-up that fails or is cancelled leaves an engine that worked before as it was.</source>
      <translation>Tous les calculs sont faits par le moteur, dans un environnement Python à lui dans votre profil QGIS. Rien n'est installé dans le Python de QGIS, et rien n'est modifié hors du profil. Exécutez ceci une fois après avoir installé l'extension, et de nouveau quand le moteur ne fonctionne pas : ce qui est là est alors réparé.

Il faut un Python de version 3.11 ou plus sur cet ordinateur ; environ 400 Mo (cpu) ou plusieurs Go (cuda) de paquets sont téléchargés. Sans réseau, donnez un dossier de wheels.

Une installation qui échoue ou est annulée laisse tel quel un moteur qui fonctionnait avant.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>install,engine,python,environment,pytorch,cuda,repair</source>
      <translation>installer,moteur,python,environnement,pytorch,cuda,réparer</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Python</source>
      <translation>Python</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Python interpreter (version 3.11 or newer) to make the environment with. Empty: one is looked for.</source>
      <translation>Interpréteur Python (version 3.11 ou plus) avec lequel créer l'environnement. Vide : on en cherche un.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>cuda: for NVIDIA graphics cards, a much larger download. cpu: for all other computers. auto: cuda where an NVIDIA driver is installed.</source>
      <translation>cuda : pour cartes graphiques NVIDIA, télécharge beaucoup plus. cpu : pour tous les autres ordinateurs. auto : cuda là où un pilote NVIDIA est installé.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Folder of wheels</source>
      <translation>Dossier de wheels</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Folder with all packages as .whl files, downloaded on another computer with the same system and Python version. Where it is given, no network is used, and it decides between cpu and cuda.</source>
      <translation>Dossier avec tous les paquets en fichiers .whl, téléchargés sur un autre ordinateur de même système et de même version de Python. S'il est donné, aucun réseau n'est utilisé, et c'est lui qui décide entre cpu et cuda.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Package index of PyTorch</source>
      <translation>Index de paquets de PyTorch</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Address of the index that PyTorch is downloaded from, without its last part, cpu or cuXXX, which is added. An address that ends with such a part is taken as it is. Empty: the index of all other packages.</source>
      <translation>Adresse de l'index d'où PyTorch est téléchargé, sans sa dernière partie, cpu ou cuXXX, qui est ajoutée. Une adresse qui finit ainsi est prise telle quelle. Vide : l'index de tous les autres paquets.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Build anew</source>
      <translation>Reconstruire</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Build the environment anew where it could be repaired: with the newest packages.</source>
      <translation>Reconstruire l'environnement là où il pourrait être réparé : avec les paquets les plus récents.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Interpreter of the engine</source>
      <translation>Interpréteur du moteur</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>This copy of the plugin lacks the engine's source: install it again.</source>
      <translation>Il manque à cette copie de l'extension le code source du moteur : installez-la de nouveau.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Python {version}: {path}</source>
      <translation>Python {version} : {path}</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>Cancelled.</source>
      <translation>Annulé.</translation>
    </message>
    <message>
      <location filename="../algorithms/setupengine.py" />
      <source>The engine is set up, but the settings name another interpreter, which stays in use: {python}</source>
      <translation>Le moteur est installé, mais les paramètres nomment un autre interpréteur, qui reste utilisé : {python}</translation>
    </message>
    <message>
      <location filename="../algorithms/train.py" />
      <source>A detached training runs in this folder; following it.</source>
      <translation>Un entraînement détaché est en cours dans ce dossier ; on le suit.</translation>
    </message>
    <message>
      <location filename="../algorithms/train.py" />
      <source>Overall accuracy on test places, by the sensors a pixel has:</source>
      <translation>Exactitude globale aux lieux de test, selon les capteurs d'un pixel :</translation>
    </message>
    <message>
      <location filename="../algorithms/train.py" />
      <source>No layer is given; give at least one raster to learn from.</source>
      <translation>Aucune couche n'est donnée ; donnez au moins un raster dont apprendre.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Train a land-cover model</source>
      <translation>Entraîner un modèle d'occupation du sol</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Trains one model for every combination of the sensors you have</source>
      <translation>Entraîne un seul modèle pour toutes les combinaisons des capteurs que vous avez</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>train,fit,learn,classification,land cover,missing,sensors,deep learning</source>
      <translation>entraîner,ajuster,apprendre,classification,occupation du sol,manquant,capteurs,apprentissage profond</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Trains a model on your layers and labels. In training, sensors are taken away at random, so that one model knows every combination: later it maps each pixel with whatever sensors cover it.

Labels are split into spatial blocks with a distance between them, so that the accuracy in the report is that of places the model has not seen.

The run folder gets the model file, a report, the figures and the complete settings. A training that was cancelled, or that a crash ended, goes on from its last checkpoint: run it again with the same folder and "Go on with the run in the folder".</source>
      <translation>Entraîne un modèle sur vos couches et vos données d'entraînement. Pendant l'entraînement, des capteurs sont retirés au hasard, si bien qu'un seul modèle connaît toutes les combinaisons : plus tard, il cartographie chaque pixel avec les capteurs qui le couvrent.

Les données d'entraînement sont réparties en blocs spatiaux séparés par une distance, pour que l'exactitude du rapport soit celle de lieux que le modèle n'a pas vus.

Le dossier reçoit le fichier de modèle, un rapport, les chiffres et tous les paramètres. Un entraînement annulé, ou interrompu par un plantage, continue à partir de son dernier point de reprise : relancez-le avec le même dossier et « Poursuivre l'entraînement du dossier ».</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Names for the further layers, separated by commas, in the same order. Empty: the layers' own names.</source>
      <translation>Noms pour les autres couches, séparés par des virgules, dans le même ordre. Vide : les noms des couches elles-mêmes.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Labels</source>
      <translation>Données d'entraînement</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Places where the class is known: polygons or points with a class field, or a raster of class values. Names and colours of the classes are taken from the layer's style where it has classes.</source>
      <translation>Lieux dont la classe est connue : polygones ou points avec un champ de classe, ou raster de valeurs de classe. Noms et couleurs des classes viennent du style de la couche s'il a des classes.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Backbone</source>
      <translation>Backbone</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>compact is small, trained from scratch and quick without a graphics card. The others are large pretrained networks that are downloaded once, and want a graphics card.</source>
      <translation>compact est petit, entraîné à partir de zéro et rapide sans carte graphique. Les autres sont de grands réseaux préentraînés, téléchargés une fois, qui veulent une carte graphique.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Epochs</source>
      <translation>Époques</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Passes over the training data. Empty: as many as usually suffice.</source>
      <translation>Passages sur les données d'entraînement. Vide : autant qu'il suffit d'habitude.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Missing rate</source>
      <translation>Taux de capteurs manquants</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Share of training samples from which sensors are taken away. High where sensors will often be missing; 0 if never.</source>
      <translation>Part des exemples d'entraînement auxquels des capteurs sont retirés. Élevé là où des capteurs manqueront souvent ; 0 si jamais.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Detached: train on when QGIS is closed</source>
      <translation>Détaché : continuer d'entraîner quand QGIS est fermé</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Returns as soon as training has begun. To see how far it is, and to wait for its end, run again with the same folder and "Go on with the run in the folder".</source>
      <translation>Rend la main dès que l'entraînement a commencé. Pour voir où il en est et attendre sa fin, relancez avec le même dossier et « Poursuivre l'entraînement du dossier ».</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Go on with the run in the folder</source>
      <translation>Poursuivre l'entraînement du dossier</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Goes on from the last checkpoint in the run folder, or follows a detached training that still runs. Layers, labels and settings are those of the run; what is given above does not count.</source>
      <translation>Continue à partir du dernier point de reprise du dossier, ou suit un entraînement détaché encore en cours. Couches, données et paramètres sont ceux de cet entraînement ; ce qui est donné ci-dessus ne compte pas.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Run folder</source>
      <translation>Dossier de l'entraînement</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Gets the model file (model.safetensors), report.html, metrics.json and everything to go on with.</source>
      <translation>Reçoit le fichier de modèle (model.safetensors), report.html, metrics.json et tout ce qu'il faut pour continuer.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Overall accuracy with all sensors</source>
      <translation>Exactitude globale avec tous les capteurs</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Overall accuracy of each combination of sensors (JSON)</source>
      <translation>Exactitude globale de chaque combinaison de capteurs (JSON)</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Local file of the pretrained backbone's weights, instead of a download.</source>
      <translation>Fichier local des poids du backbone préentraîné, au lieu d'un téléchargement.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Start from model</source>
      <translation>Partir d'un modèle</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Model file to start from; sensors and classes are matched by name, new ones are added.</source>
      <translation>Fichier de modèle d'où partir ; capteurs et classes sont associés par leur nom, les nouveaux sont ajoutés.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Name of the sensor (hsi, elevation, sar, msi, or that of a further layer) whose pixels are used. Empty: the one with most bands.</source>
      <translation>Nom du capteur (hsi, elevation, sar, msi, ou celui d'une autre couche) dont les pixels sont utilisés. Vide : celui qui a le plus de bandes.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Read-out</source>
      <translation>Mode de sortie</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>dense maps whole windows at once; centre spends one on each pixel and takes hundreds of times longer.</source>
      <translation>dense cartographie des fenêtres entières d'un coup ; centre en dépense une par pixel et prend des centaines de fois plus longtemps.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Window, pixels</source>
      <translation>Fenêtre, pixels</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Side of the square that the model sees. Empty: by read-out and backbone.</source>
      <translation>Côté du carré que voit le modèle. Vide : selon le mode de sortie et le backbone.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Split of the labels</source>
      <translation>Répartition des données</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>blocks keeps training and test apart in space. random does not: its accuracy is too good to be true.</source>
      <translation>blocks sépare dans l'espace entraînement et test. random non : son exactitude est trop belle pour être vraie.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>The same seed and inputs give the same model.</source>
      <translation>La même graine et les mêmes entrées donnent le même modèle.</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>Further settings</source>
      <translation>Autres paramètres</translation>
    </message>
    <message>
      <location filename="../algorithms/train_parameters.py" />
      <source>One section.key=value in each line, for instance training.learning_rate=0.001; see the configuration reference.</source>
      <translation>Un section.clé=valeur par ligne, par exemple training.learning_rate=0.001 ; voir la référence de la configuration.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>No layer is given. The model maps from any of {names}; give the layers you have.</source>
      <translation>Aucune couche n'est donnée. Le modèle cartographie à partir de n'importe lesquels de {names} ; donnez les couches que vous avez.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>The file of layer "{layer}" has no CRS, others have one. Assign it one ("Assign projection").</source>
      <translation>Le fichier de la couche « {layer} » n'a pas de SCR, d'autres en ont un. Donnez-lui-en un (« Assigner une projection »).</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>Layers "{one}" and "{other}" do not overlap. Give layers of one place, and check their CRSs.</source>
      <translation>Les couches « {one} » et « {other} » ne se recouvrent pas. Donnez des couches d'un même lieu, et vérifiez leurs SCR.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>Two layers would be named "{name}": give the further layers names of their own.</source>
      <translation>Deux couches s'appelleraient « {name} » : donnez aux autres couches des noms à elles.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>{names} names are given for {layers} further layers; give one for each, separated by commas.</source>
      <translation>{names} noms sont donnés pour {layers} autres couches ; donnez-en un pour chacune, séparés par des virgules.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>Layers "{one}" and "{other}" are both given for {name}; mosaic them first, or leave one out.</source>
      <translation>Les couches « {one} » et « {other} » sont toutes deux données pour {name} ; assemblez-les d'abord, ou laissez-en une de côté.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>The model has {count} sensors of the role {role}: {names}. Give layer "{layer}" among the further layers, with its name.</source>
      <translation>Le modèle a {count} capteurs du genre {role} : {names}. Donnez la couche « {layer} » parmi les autres couches, avec son nom.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>The model has no sensor of the role {role}, for which layer "{layer}" is given; it knows {known}.</source>
      <translation>Le modèle n'a pas de capteur du genre {role}, pour lequel la couche « {layer} » est donnée ; il connaît {known}.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>The model has no sensor "{name}"; it knows {known}.</source>
      <translation>Le modèle n'a pas de capteur « {name} » ; il connaît {known}.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>The name of layer "{layer}" does not tell which sensor it is; the model knows {known}. Say it in the names of the further layers.</source>
      <translation>Le nom de la couche « {layer} » ne dit pas de quel capteur il s'agit ; le modèle connaît {known}. Dites-le dans les noms des autres couches.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>Layer "{layer}" has {found} bands, the model reads {wanted} of {name}. Give the raster it was trained for.</source>
      <translation>La couche « {layer} » a {found} bandes, le modèle en lit {wanted} de {name}. Donnez le raster pour lequel il a été entraîné.</translation>
    </message>
    <message>
      <location filename="../binding.py" />
      <source>{bands} of {count}</source>
      <translation>{bands} sur {count}</translation>
    </message>
    <message>
      <location filename="../bridge.py" />
      <source>Starting the engine</source>
      <translation>Démarrage du moteur</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Repairing {folder}</source>
      <translation>Réparation de {folder}</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>It cannot be repaired, and is built anew: {reason}</source>
      <translation>Il ne peut pas être réparé et va être reconstruit : {reason}</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>{folder}: no .whl files in this folder; choose the folder of the downloaded wheels.</source>
      <translation>{folder} : pas de fichiers .whl dans ce dossier ; choisissez le dossier des wheels téléchargés.</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>{folder}: {free:.1f} GB free, the set-up needs {needed:.0f} GB for {compute}; free some space.</source>
      <translation>{folder} : {free:.1f} Go libres, l'installation demande {needed:.0f} Go pour {compute} ; libérez de la place.</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Making the environment</source>
      <translation>Création de l'environnement</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Reading the wheels</source>
      <translation>Lecture des wheels</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Installing pip</source>
      <translation>Installation de pip</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Installing PyTorch</source>
      <translation>Installation de PyTorch</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Installing packages</source>
      <translation>Installation des paquets</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>Testing</source>
      <translation>Test</translation>
    </message>
    <message>
      <location filename="../engine_setup.py" />
      <source>{folder} cannot be replaced ({reason}); stop what uses the engine, and repeat.</source>
      <translation>{folder} ne peut pas être remplacé ({reason}) ; arrêtez ce qui utilise le moteur, et recommencez.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine is not set up yet. Run the algorithm "Set up the engine" once, or choose an interpreter that has it in {page}.</source>
      <translation>Le moteur n'est pas encore installé. Exécutez une fois l'algorithme « Installer le moteur », ou choisissez dans {page} un interpréteur qui l'a.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine's Python interpreter {python} does not exist. Choose another in {page}, or run the algorithm "Set up the engine".</source>
      <translation>L'interpréteur Python du moteur {python} n'existe pas. Choisissez-en un autre dans {page}, ou exécutez l'algorithme « Installer le moteur ».</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine's Python interpreter {python} cannot be started ({reason}). Choose another in {page}.</source>
      <translation>L'interpréteur Python du moteur {python} ne démarre pas ({reason}). Choisissez-en un autre dans {page}.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine's interpreter {python} lacks the package "{package}". Run the algorithm "Set up the engine" to install or repair it, or choose another interpreter in {page}.</source>
      <translation>Il manque à l'interpréteur du moteur {python} le paquet « {package} ». Exécutez l'algorithme « Installer le moteur » pour l'installer ou le réparer, ou choisissez un autre interpréteur dans {page}.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine was ended by the system, most likely because memory ran out. Close other programs, set a smaller batch size or fewer threads, or map a smaller extent.</source>
      <translation>Le moteur a été arrêté par le système, sans doute faute de mémoire. Fermez d'autres programmes, calculez moins de fenêtres à la fois ou avec moins de fils, ou cartographiez une emprise plus petite.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine crashed (code {code}). Run the algorithm "Check the engine" to see whether it works.</source>
      <translation>Le moteur a planté (code {code}). Exécutez l'algorithme « Vérifier le moteur » pour voir s'il fonctionne.</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine ended without a result. Is {python} the interpreter of the engine?</source>
      <translation>Le moteur s'est arrêté sans résultat. {python} est-il l'interpréteur du moteur ?</translation>
    </message>
    <message>
      <location filename="../failures.py" />
      <source>The engine did not start (exit code {code}). It needs Python 3.11 or newer; the interpreter is {python}. Run the algorithm "Set up the engine", or choose another interpreter in {page}.</source>
      <translation>Le moteur n'a pas démarré (code de sortie {code}). Il lui faut Python 3.11 ou plus ; l'interpréteur est {python}. Exécutez l'algorithme « Installer le moteur », ou choisissez un autre interpréteur dans {page}.</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Model and layers</source>
      <translation>Modèle et couches</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Does not work: {problem}</source>
      <translation>Ne va pas : {problem}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Works, on the pixels of {reference}.</source>
      <translation>Va, sur les pixels de {reference}.</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Warning: {text}</source>
      <translation>Avertissement : {text}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Classes</source>
      <translation>Classes</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Value</source>
      <translation>Valeur</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Class</source>
      <translation>Classe</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>no data</source>
      <translation>pas de données</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>overall accuracy {figure}</source>
      <translation>exactitude globale {figure}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>What would be mapped with which sensors</source>
      <translation>Ce qui serait cartographié avec quels capteurs</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Sensors</source>
      <translation>Capteurs</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Share of pixels</source>
      <translation>Part des pixels</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>{count} bands</source>
      <translation>{count} bandes</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>{count} of {all} bands</source>
      <translation>{count} bandes sur {all}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>decibels</source>
      <translation>décibels</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Sensors of the model</source>
      <translation>Capteurs du modèle</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Name</source>
      <translation>Nom</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Role</source>
      <translation>Genre</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Bands</source>
      <translation>Bandes</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>never trained</source>
      <translation>jamais entraîné</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>overall {oa}</source>
      <translation>globale {oa}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>mean of classes {aa}</source>
      <translation>moyenne des classes {aa}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Overall</source>
      <translation>Globale</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Mean of classes</source>
      <translation>Moyenne des classes</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Accuracy in the model's own test, by the sensors a pixel has</source>
      <translation>Exactitude dans le propre test du modèle, selon les capteurs d'un pixel</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>{width} x {height} pixels of {x:g} x {y:g}</source>
      <translation>{width} x {height} pixels de {x:g} x {y:g}</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>{usable} of {count} bands usable</source>
      <translation>{usable} bandes sur {count} utilisables</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>{share:.3g} % valid</source>
      <translation>{share:.3g} % valides</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Layers</source>
      <translation>Couches</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Size</source>
      <translation>Taille</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>CRS</source>
      <translation>SCR</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>Pixels</source>
      <translation>Pixels</translation>
    </message>
    <message>
      <location filename="../findings.py" />
      <source>unknown</source>
      <translation>inconnue</translation>
    </message>
    <message>
      <location filename="../labels.py" />
      <source>Class field of points or polygons</source>
      <translation>Champ de classe des points ou polygones</translation>
    </message>
    <message>
      <location filename="../labels.py" />
      <source>Field that holds the class, as a number or a name. Not for rasters.</source>
      <translation>Champ qui contient la classe, en nombre ou en nom. Pas pour les rasters.</translation>
    </message>
    <message>
      <location filename="../labels.py" />
      <source>Layer "{layer}" holds no places; give points, polygons, or a raster of class values.</source>
      <translation>La couche « {layer} » ne contient pas de lieux ; donnez des points, des polygones ou un raster de valeurs de classe.</translation>
    </message>
    <message>
      <location filename="../labels.py" />
      <source>Say which field of layer "{layer}" holds the class: {known}.</source>
      <translation>Dites quel champ de la couche « {layer} » contient la classe : {known}.</translation>
    </message>
    <message>
      <location filename="../labels.py" />
      <source>Layer "{layer}" has no field "{field}"; it has: {known}.</source>
      <translation>La couche « {layer} » n'a pas de champ « {field} » ; elle a : {known}.</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" has the CRS {shown} in QGIS, its file {path} has {own}. The engine reads the file: write the right CRS into it with "Assign projection".</source>
      <translation>La couche « {layer} » a dans QGIS le SCR {shown}, son fichier {path} a {own}. Le moteur lit le fichier : écrivez-y le bon SCR avec « Assigner une projection ».</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>none</source>
      <translation>aucun</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" has its own no-data settings in QGIS. The engine reads the file {path} as it is: write no-data values into it with "Translate".</source>
      <translation>La couche « {layer} » a dans QGIS ses propres valeurs nulles. Le moteur lit le fichier {path} tel quel : écrivez-y les valeurs nulles avec « Convertir ».</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>{path}: not a raster that can be opened.</source>
      <translation>{path} : pas un raster qu'on puisse ouvrir.</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" has {bands} bands; a raster of class values has one.</source>
      <translation>La couche « {layer} » a {bands} bandes ; un raster de valeurs de classe en a une.</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" comes from {kind}, not from a file. The engine reads raster files: save the layer as GeoTIFF first (Export &gt; Save As).</source>
      <translation>La couche « {layer} » vient de {kind}, pas d'un fichier. Le moteur lit des fichiers raster : enregistrez d'abord la couche en GeoTIFF (Exporter &gt; Enregistrer sous).</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" ({source}) lies in memory, in an archive or on a server. The engine reads raster files: save the layer as GeoTIFF first (Export &gt; Save As).</source>
      <translation>La couche « {layer} » ({source}) est en mémoire, dans une archive ou sur un serveur. Le moteur lit des fichiers raster : enregistrez d'abord la couche en GeoTIFF (Exporter &gt; Enregistrer sous).</translation>
    </message>
    <message>
      <location filename="../layers.py" />
      <source>Layer "{layer}" is no raster file of its own ({source}), for instance a data set inside a container. Save it as GeoTIFF first (Export &gt; Save As).</source>
      <translation>La couche « {layer} » n'est pas un fichier raster à elle seule ({source}), mais par exemple un jeu de données dans un conteneur. Enregistrez-la d'abord en GeoTIFF (Exporter &gt; Enregistrer sous).</translation>
    </message>
    <message>
      <location filename="../listener.py" />
      <source>Reading the layers</source>
      <translation>Lecture des couches</translation>
    </message>
    <message>
      <location filename="../listener.py" />
      <source>Training</source>
      <translation>Entraînement</translation>
    </message>
    <message>
      <location filename="../listener.py" />
      <source>Mapping</source>
      <translation>Cartographie</translation>
    </message>
    <message>
      <location filename="../listener.py" />
      <source>Writing</source>
      <translation>Écriture</translation>
    </message>
    <message>
      <location filename="../listener.py" />
      <source>{time} left</source>
      <translation>encore {time}</translation>
    </message>
    <message>
      <location filename="../modelfile.py" />
      <source>{path}: model file format {version}, this plugin reads {ours}; update the plugin or train the model again.</source>
      <translation>{path} : fichier de modèle au format {version}, cette extension lit {ours} ; mettez l'extension à jour ou entraînez de nouveau le modèle.</translation>
    </message>
    <message>
      <location filename="../modelfile.py" />
      <source>{path}: damaged model description; copy the file again.</source>
      <translation>{path} : description du modèle endommagée ; copiez de nouveau le fichier.</translation>
    </message>
    <message>
      <location filename="../modelfile.py" />
      <source>{path}: the model file cannot be read ({reason}); check the path.</source>
      <translation>{path} : le fichier de modèle ne peut pas être lu ({reason}) ; vérifiez le chemin.</translation>
    </message>
    <message>
      <location filename="../modelfile.py" />
      <source>{path}: truncated or damaged model file; copy it again.</source>
      <translation>{path} : fichier de modèle tronqué ou endommagé ; copiez-le de nouveau.</translation>
    </message>
    <message>
      <location filename="../modelfile.py" />
      <source>{path}: not a model file; choose a .safetensors file that was written by training.</source>
      <translation>{path} : pas un fichier de modèle ; choisissez un fichier .safetensors écrit par l'entraînement.</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Python interpreter of the engine</source>
      <translation>Interpréteur Python du moteur</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>the one made by "Set up the engine"</source>
      <translation>celui créé par « Installer le moteur »</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Runs the engine on another machine or in a container. Empty: it runs here.</source>
      <translation>Exécute le moteur sur une autre machine ou dans un conteneur. Vide : il s'exécute ici.</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Folders that both machines see, HERE = THERE, separated by semicolons. Empty: names are the same there.</source>
      <translation>Dossiers que les deux machines voient, ICI = LÀ-BAS, séparés par des points-virgules. Vide : les noms y sont les mêmes.</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>all</source>
      <translation>tous</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>the index of all other packages</source>
      <translation>l'index de tous les autres paquets</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Test the engine</source>
      <translation>Tester le moteur</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Keeps these settings, and runs the algorithm that checks the engine</source>
      <translation>Garde ces paramètres et exécute l'algorithme qui vérifie le moteur</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Engine interpreter</source>
      <translation>Interpréteur du moteur</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Command of a remote engine</source>
      <translation>Commande d'un moteur distant</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Folders there</source>
      <translation>Dossiers là-bas</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Processor threads</source>
      <translation>Fils du processeur</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>Raster cache</source>
      <translation>Cache de rasters</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>PyTorch's package index</source>
      <translation>Index de paquets de PyTorch</translation>
    </message>
    <message>
      <location filename="../options.py" />
      <source>The engine runs in a Python environment of its own (3.11 or newer). Leave the interpreter empty and run the algorithm "Set up the engine", or choose a Python that has the engine's packages.</source>
      <translation>Le moteur tourne dans un environnement Python à lui (3.11 ou plus). Laissez l'interpréteur vide et exécutez l'algorithme « Installer le moteur », ou choisissez un Python qui a les paquets du moteur.</translation>
    </message>
    <message>
      <location filename="../pip_output.py" />
      <source>Unpacking {count} packages</source>
      <translation>Décompression de {count} paquets</translation>
    </message>
    <message>
      <location filename="../pip_output.py" />
      <source>{folder} lacks this package for this Python and system: download it there, and repeat.</source>
      <translation>Il manque dans {folder} ce paquet pour ce Python et ce système : téléchargez-le là, et recommencez.</translation>
    </message>
    <message>
      <location filename="../pip_output.py" />
      <source>The package index was not reached: check network and proxy, or install from a folder of wheels.</source>
      <translation>L'index de paquets n'a pas été atteint : vérifiez le réseau et le proxy, ou installez depuis un dossier de wheels.</translation>
    </message>
    <message>
      <location filename="../pip_output.py" />
      <source>Free some disk space, and repeat.</source>
      <translation>Libérez de l'espace disque, et recommencez.</translation>
    </message>
    <message>
      <location filename="../pip_output.py" />
      <source>The packages could not be installed: {reason}</source>
      <translation>Les paquets n'ont pas pu être installés : {reason}</translation>
    </message>
    <message>
      <location filename="../python_choice.py" />
      <source>{path} is Python {version}, the engine needs {minimum} or newer; choose another Python.</source>
      <translation>{path} est Python {version}, il faut au moteur {minimum} ou plus ; choisissez un autre Python.</translation>
    </message>
    <message>
      <location filename="../python_choice.py" />
      <source>{path} is Python {version} with {bits} bits, PyTorch needs 64; choose another Python.</source>
      <translation>{path} est Python {version} à {bits} bits, il en faut 64 à PyTorch ; choisissez un autre Python.</translation>
    </message>
    <message>
      <location filename="../python_choice.py" />
      <source>{path} is Python {version} without the modules venv and ensurepip; on Debian and Ubuntu: apt install {package}</source>
      <translation>{path} est Python {version} sans les modules venv et ensurepip ; sur Debian et Ubuntu : apt install {package}</translation>
    </message>
    <message>
      <location filename="../python_choice.py" />
      <source>No suitable Python was found. Install Python {minimum} or newer, or choose one. {complaint}</source>
      <translation>Aucun Python convenable n'a été trouvé. Installez Python {minimum} ou plus, ou choisissez-en un. {complaint}</translation>
    </message>
    <message>
      <location filename="../python_choice.py" />
      <source>{path} does not run as a Python interpreter ({reason}); choose another.</source>
      <translation>{path} ne tourne pas comme interpréteur Python ({reason}) ; choisissez-en un autre.</translation>
    </message>
    <message>
      <location filename="../reference.py" />
      <source>"{name}" is to be the reference, but no layer is given for it (given: {names}).</source>
      <translation>« {name} » doit être la référence, mais aucune couche n'est donnée pour lui (données : {names}).</translation>
    </message>
    <message>
      <location filename="../remote.py" />
      <source>The command of the remote engine, "{command}", cannot be understood: a quote is left open.</source>
      <translation>La commande du moteur distant, "{command}", est incompréhensible : un guillemet reste ouvert.</translation>
    </message>
    <message>
      <location filename="../remote.py" />
      <source>The command of the remote engine, "{command}", begins with a program that is not there.</source>
      <translation>La commande du moteur distant, "{command}", commence par un programme introuvable.</translation>
    </message>
    <message>
      <location filename="../remote.py" />
      <source>"{part}" does not say how a folder is called there; expected HERE = THERE with full names.</source>
      <translation>"{part}" ne dit pas comment un dossier s'appelle là-bas ; attendu : ICI = LÀ-BAS avec des noms complets.</translation>
    </message>
    <message>
      <location filename="../remote.py" />
      <source>{path} lies in no folder that the remote engine sees ({folders}). Choose a file or folder in one of them, or name its folder in {page}.</source>
      <translation>{path} n'est dans aucun dossier que le moteur distant voit ({folders}). Choisissez un fichier ou un dossier dans l'un d'eux, ou indiquez son dossier dans {page}.</translation>
    </message>
    <message>
      <location filename="../report_file.py" />
      <source>{path}: the report cannot be written ({reason}); choose another file.</source>
      <translation>{path} : le rapport ne peut pas être écrit ({reason}) ; choisissez un autre fichier.</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>{folder}: holds no run to go on with.</source>
      <translation>{folder} : ne contient pas d'entraînement à poursuivre.</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>{folder}: a detached training runs in this folder.</source>
      <translation>{folder} : un entraînement détaché est en cours dans ce dossier.</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>{folder}: holds a run already. Choose another folder, or tick "Go on with the run in the folder".</source>
      <translation>{folder} : contient déjà un entraînement. Choisissez un autre dossier, ou cochez « Poursuivre l'entraînement du dossier ».</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>{folder}: cannot be written ({reason}); choose another folder.</source>
      <translation>{folder} : ne peut pas être écrit ({reason}) ; choisissez un autre dossier.</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>A training of a remote engine ends with QGIS; start it on the other machine instead.</source>
      <translation>Un entraînement d'un moteur distant se termine avec QGIS ; lancez-le plutôt sur l'autre machine.</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>Training goes on without QGIS, as process {number}. To stop it: {command}</source>
      <translation>L'entraînement continue sans QGIS, processus {number}. Pour l'arrêter : {command}</translation>
    </message>
    <message>
      <location filename="../training_run.py" />
      <source>No longer following. The training goes on without QGIS.</source>
      <translation>N'est plus suivi. L'entraînement continue sans QGIS.</translation>
    </message>
    <message>
      <location filename="../vectors.py" />
      <source>Layer "{layer}" cannot be copied to {path}: {reason}</source>
      <translation>La couche « {layer} » ne peut pas être copiée vers {path} : {reason}</translation>
    </message>
  </context>
</TS>
